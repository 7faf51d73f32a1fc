#!/bin/sh
# Brings Temporal's two databases to the schema of this server's version. Changes nothing where it is there.
# SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD are the tool's own variables.
set -eu

schema=/etc/temporal/schema/postgresql/v12
for database in temporal temporal_visibility; do
    versions=$schema/${database#temporal_}/versioned
    temporal-sql-tool --db "$database" setup-schema -v 0.0
    temporal-sql-tool --db "$database" update-schema -d "$versions"
done
