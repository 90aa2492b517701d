create table delivery (
  seq       integer primary key,
  guid      text not null unique,
  event     text not null,
  received  integer not null,           -- microseconds since 1970, as all times here
  grp       text not null,              -- the commit it came in with: one job thinks about a group
  state     integer not null default 0, -- 0 new, 1 done, 2 parked
  attempts  integer not null default 0,
  postponed integer not null default 0,
  next_at   integer not null,           -- a job is looked for again at this moment
  reason    text not null default '',
  body      blob not null               -- compressed, encrypted
);
create index delivery_new on delivery(next_at) where state = 0;
create index delivery_grp on delivery(grp) where state = 0;
create index delivery_parked on delivery(seq) where state = 2;

create table cases (
  id         integer primary key,
  repo_id    integer not null,
  repo       text not null,
  kind       text not null,
  state      text not null,
  opened     integer not null,
  wake_at    integer,                   -- earliest moment at which anything is due
  act_at     integer,                   -- earliest moment at which an effect may be tried
  lane_until integer not null default 0,-- somebody works on the effects until then
  installation integer not null,
  body       blob not null
);
create index cases_wake on cases(wake_at) where wake_at is not null;
create index cases_act on cases(act_at) where act_at is not null;
create index cases_open on cases(repo_id) where state <> 'closed';
create index cases_repo on cases(repo_id, kind);

create table case_ref (
  ref     text primary key,
  case_id integer not null references cases(id)
) without rowid;
create index case_ref_case on case_ref(case_id);

create table history (
  id      integer primary key,
  case_id integer not null references cases(id),
  at      integer not null,
  by      text not null,
  line    text not null                 -- never text of a report
);
create index history_case on history(case_id);

create table effect (
  id       integer primary key,
  case_id  integer not null references cases(id),
  key      text not null unique,
  action   text not null,
  audience text not null,
  slot     text not null default '',
  urgent   integer not null,
  state    integer not null default 0,  -- 0 pending, 1 done, 2 parked, 3 replaced by a newer one
  attempts integer not null default 0,
  maybe    integer not null default 0,  -- an attempt may have landed: look for the mark
  next_at  integer not null,
  decided  integer not null,
  finished integer,
  reason   text not null default '',
  body     blob not null
);
create index effect_lane on effect(case_id, urgent desc, id) where state = 0;
create index effect_case on effect(case_id);

create table setting (
  name  text primary key,
  value blob not null
) without rowid;
