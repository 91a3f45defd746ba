-- What open screens are told of. PostgreSQL itself sends it, at commit and in the order of commits: who listens can read what it
-- was told of, and a transaction that was rolled back tells nothing. Payloads are codes and ids, never words. PostgreSQL sends
-- the same payload once a transaction.
--
--   c <id> <number> <version> <shop> <owner> <owner before>   a case was opened or moved on (0: nobody)
--   r <room> <version>                                          something changed in a war room
--   n <user>                                                    a notice was written or seen
--   p <case>                                                    somebody came, went, began or ceased to write
--   o <mark of a session>                                       somebody signed out
--   u <user>                                                    a role, a password or the right to sign in changed
--   *                                                           so much that everybody looks again

CREATE FUNCTION makegood_tell_cases_opened() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one record;
BEGIN
  -- Rows that are loaded by the million must not fill PostgreSQL's queue of notifications.
  IF (SELECT count(*) FROM (SELECT 1 FROM opened LIMIT 101) AS first_ones) > 100 THEN
    PERFORM pg_notify('makegood', '*');
    RETURN NULL;
  END IF;
  FOR one IN SELECT * FROM opened LOOP
    PERFORM pg_notify('makegood', format('c %s %s %s %s %s 0', one.id, one.number, one.version, one.shop_id, coalesce(one.owner_id, 0)));
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER tell_opened AFTER INSERT ON makegood_case
  REFERENCING NEW TABLE AS opened FOR EACH STATEMENT EXECUTE FUNCTION makegood_tell_cases_opened();

CREATE FUNCTION makegood_tell_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('makegood', format('c %s %s %s %s %s %s', NEW.id, NEW.number, NEW.version, NEW.shop_id,
    coalesce(NEW.owner_id, 0), coalesce(OLD.owner_id, 0)));
  RETURN NULL;
END $$;
CREATE TRIGGER tell_moved AFTER UPDATE OF version ON makegood_case
  FOR EACH ROW WHEN (NEW.version IS DISTINCT FROM OLD.version) EXECUTE FUNCTION makegood_tell_case();

CREATE FUNCTION makegood_tell_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('makegood', format('r %s %s', NEW.id, NEW.version));
  RETURN NULL;
END $$;
CREATE TRIGGER tell_room AFTER UPDATE OF version ON makegood_room
  FOR EACH ROW WHEN (NEW.version IS DISTINCT FROM OLD.version) EXECUTE FUNCTION makegood_tell_room();

CREATE FUNCTION makegood_tell_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('makegood', format('n %s', NEW.user_id));
  RETURN NULL;
END $$;
CREATE TRIGGER tell_notice AFTER INSERT OR UPDATE OF seen_at ON makegood_notice
  FOR EACH ROW EXECUTE FUNCTION makegood_tell_notice();

CREATE FUNCTION makegood_tell_presence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- That somebody is still here is told nobody; that somebody was away for longer than a presence lives, and is back, is.
  IF TG_OP = 'UPDATE' AND NEW.mode = OLD.mode AND NEW.seen_at < OLD.seen_at + interval '45 seconds' THEN
    RETURN NULL;
  END IF;
  PERFORM pg_notify('makegood', format('p %s', CASE WHEN TG_OP = 'DELETE' THEN OLD.case_id ELSE NEW.case_id END));
  RETURN NULL;
END $$;
CREATE TRIGGER tell_presence AFTER INSERT OR UPDATE OR DELETE ON makegood_presence
  FOR EACH ROW EXECUTE FUNCTION makegood_tell_presence();

CREATE FUNCTION makegood_tell_signed_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- A mark, not the key: whoever may listen could act as the person with it until the row is gone.
  PERFORM pg_notify('makegood', format('o %s', left(encode(sha256(convert_to(OLD.session_key, 'UTF8')), 'hex'), 16)));
  RETURN NULL;
END $$;
CREATE TRIGGER tell_signed_out AFTER DELETE ON django_session
  FOR EACH ROW WHEN (OLD.expire_date > now()) EXECUTE FUNCTION makegood_tell_signed_out();

CREATE FUNCTION makegood_tell_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('makegood', format('u %s', NEW.id));
  RETURN NULL;
END $$;
CREATE TRIGGER tell_user AFTER UPDATE OF role, password, is_active ON makegood_user
  FOR EACH ROW WHEN ((NEW.role, NEW.password, NEW.is_active) IS DISTINCT FROM (OLD.role, OLD.password, OLD.is_active))
  EXECUTE FUNCTION makegood_tell_user();
