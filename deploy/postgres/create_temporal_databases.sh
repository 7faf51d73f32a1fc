#!/bin/sh
# Runs once, when the server's data directory is made. Temporal gets a role and databases of its own, and no
# role enters a database that is not its business.
set -eu

: "${TEMPORAL_DATABASE_PASSWORD:?is not set}"

# psql reads the password from the environment and quotes it: no list of processes shows it.
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<SQL
\getenv password TEMPORAL_DATABASE_PASSWORD
create role temporal login nosuperuser nocreatedb nocreaterole noinherit nobypassrls noreplication password :'password';
create database temporal owner temporal encoding 'UTF8' template template0;
create database temporal_visibility owner temporal encoding 'UTF8' template template0;
revoke all on database temporal from public;
revoke all on database temporal_visibility from public;
revoke connect, temporary on database postgres from public;
revoke connect on database template1 from public;
SQL
