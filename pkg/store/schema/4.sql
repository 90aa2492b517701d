-- Until when GitHub lets an installation make no calls, for all processes.
create table ban (
  installation {int} primary key,
  until        {int} not null
);
