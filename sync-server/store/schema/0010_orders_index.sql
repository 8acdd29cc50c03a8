-- With the order of its rows in it: without statistics a planner that is asked for an order took the
-- primary key for it and read every carrier there is, once a ticket.
DROP INDEX carrier_by_ticket;
CREATE INDEX carrier_by_ticket ON carrier (tenant, ticket, lookup);
