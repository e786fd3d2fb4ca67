-- On both servers, after the rows.
SET search_path = shop;

CREATE FUNCTION bump_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision := OLD.revision + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER bump BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION bump_revision();

-- A trigger that writes to another table, under the same key.
CREATE FUNCTION remember_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shop.order_changes
    VALUES (NEW.customer_id, NEW.order_id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END, NEW.status);
    RETURN NULL;
END $$;
CREATE TRIGGER remember AFTER INSERT OR UPDATE OF status ON orders
    FOR EACH ROW EXECUTE FUNCTION remember_change();

CREATE FUNCTION refuse_bad_title() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.title = 'bad' THEN
        RAISE EXCEPTION 'bad title' USING ERRCODE = 'P0042';
    END IF;
    NEW.title := trim(NEW.title);
    RETURN NEW;
END $$;
CREATE TRIGGER title_check BEFORE INSERT OR UPDATE ON documents
    FOR EACH ROW EXECUTE FUNCTION refuse_bad_title();

ALTER TABLE tenant_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_setting ON tenant_rows TO diff_app
    USING (tenant = current_setting('app.tenant', true))
    WITH CHECK (tenant = current_setting('app.tenant', true));
CREATE POLICY by_role ON tenant_rows FOR SELECT TO tenant2
    USING (tenant = current_user);
GRANT USAGE ON SCHEMA shop TO diff_reader, diff_app, tenant2;
GRANT SELECT ON order_totals, customer_regions TO diff_reader;
GRANT ALL ON tenant_rows TO diff_app;
GRANT SELECT ON tenant_rows TO tenant2;
GRANT SELECT, UPDATE ON active_customers TO diff_app;
ANALYZE;
