-- What came in and has no place yet: one row a commit, read once and in order.
create table intake (
  seq      {id},
  name     text not null,    -- of the row: its body is bound to it
  n        {int} not null,   -- deliveries
  received {int} not null,   -- of the first of them
  next_at  {int} not null,   -- a job is looked for again at this moment
  body     {bytes} not null   -- deliveries one after the other, compressed and encrypted together
);
{sealed: intake} -- what is encrypted cannot be compressed; PostgreSQL would try
{sealed: delivery}

-- What maintainers said about public texts, and what the detector thought of these.
create table label (
  case_id  {int} primary key references cases(id),
  at       {int} not null,
  security {bool} not null,
  score    {int} not null,   -- millionths
  body     {bytes} not null  -- the text, encrypted; empty when it was erased with its case's
);
