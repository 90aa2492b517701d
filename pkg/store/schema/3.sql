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
