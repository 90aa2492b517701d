-- Retention: when a delivery was done with, and when the texts of a closed case are to go.
alter table delivery add column done {int};
update delivery set done = received where state = 1;
create index delivery_done on delivery(done) where done is not null;

alter table cases add column erase_at {int};
create index cases_erase on cases(erase_at) where erase_at is not null;

-- The sweep goes through the open cases of one account after the other.
alter table cases add column owner text not null default '';
update cases set owner = {owner};
create index cases_owner on cases(owner, id) where state <> 'closed' or wake_at is not null;

-- What lies aside is counted every minute.
create index effect_parked on effect(id) where state = 2;

-- Processes that work on this database: they share what GitHub allows an installation.
create table replica (
  name   text primary key,
  seen   {int} not null,
  key_id {int} not null -- the data key it encrypts with
){lookup};
