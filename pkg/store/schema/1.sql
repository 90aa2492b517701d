-- The first schema. Words in braces are spelled by each database in its own way, see migrate.go.
-- What stands here was released: it is never changed, only followed by the next file.
create table delivery (
  seq       {id},
  guid      text not null unique,
  event     text not null,
  received  {int} not null,           -- microseconds since 1970, as all times here
  grp       text not null,              -- the commit it came in with: one job thinks about a group
  state     {int} not null default 0, -- 0 new, 1 done, 2 parked
  attempts  {int} not null default 0,
  postponed {int} not null default 0,
  next_at   {int} not null,           -- a job is looked for again at this moment
  reason    text not null default '',
  body      {bytes} not null               -- compressed, encrypted
);
create index delivery_new on delivery(next_at) where state = 0;
create index delivery_grp on delivery(grp) where state = 0;
create index delivery_parked on delivery(seq) where state = 2;

create table cases (
  id         {id},
  repo_id    {int} not null,
  repo       text not null,
  kind       text not null,
  state      text not null,
  opened     {int} not null,
  wake_at    {int},                   -- earliest moment at which anything is due
  act_at     {int},                   -- earliest moment at which an effect may be tried
  lane_until {int} not null default 0,-- somebody works on the effects until then
  installation {int} not null,
  body       {bytes} not null
);
create index cases_wake on cases(wake_at) where wake_at is not null;
create index cases_act on cases(act_at) where act_at is not null;
create index cases_open on cases(repo_id) where state <> 'closed';
create index cases_repo on cases(repo_id, kind);

create table case_ref (
  ref     text primary key,
  case_id {int} not null references cases(id)
){lookup};
create index case_ref_case on case_ref(case_id);

create table history (
  id      {id},
  case_id {int} not null references cases(id),
  at      {int} not null,
  by      text not null,
  line    text not null                 -- never text of a report
);
create index history_case on history(case_id);

create table effect (
  id       {id},
  case_id  {int} not null references cases(id),
  key      text not null unique,
  action   text not null,
  audience text not null,
  slot     text not null default '',
  urgent   {bool} not null,
  state    {int} not null default 0,  -- 0 pending, 1 done, 2 parked, 3 replaced by a newer one
  attempts {int} not null default 0,
  maybe    {bool} not null default false,  -- an attempt may have landed: look for the mark
  next_at  {int} not null,
  decided  {int} not null,
  finished {int},
  reason   text not null default '',
  body     {bytes} not null
);
create index effect_lane on effect(case_id, urgent desc, id) where state = 0;
create index effect_case on effect(case_id);

create table setting (
  name  text primary key,
  value {bytes} not null
){lookup};
