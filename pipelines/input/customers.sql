-- The customers of a service, as another service wants to know them.
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL UNIQUE,
    credit numeric(12, 2) NOT NULL DEFAULT 0,
    notes text
);
INSERT INTO customers (name, email, credit, notes) VALUES
    ('Ada', 'ada@example.org', 12.50, NULL),
    ('Grace', 'grace@example.org', 0, 'calls on Mondays'),
    ('Edsger', 'edsger@example.org', 199.99, NULL);
