-- Two roles and one database, for a PostgreSQL of your own (16 to 18). Run as a
-- superuser, or as the administrator of a managed database:
--   psql -v owner_password="'…'" -v app_password="'…'" -f deploy/roles.sql
-- The owner migrates. The application role owns nothing: migrate grants it what it
-- needs, so it can add to the audit log and cannot change it.
CREATE ROLE srm_owner LOGIN PASSWORD :owner_password;
CREATE ROLE srm_app LOGIN PASSWORD :app_password;
GRANT srm_owner TO CURRENT_USER;
CREATE DATABASE srm OWNER srm_owner TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE srm FROM PUBLIC;
GRANT CONNECT ON DATABASE srm TO srm_app;
REVOKE srm_owner FROM CURRENT_USER;
