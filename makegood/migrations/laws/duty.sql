-- Nobody is on duty twice at once, in whichever teams. The lock on the person makes two who plan them at one moment take turns.
CREATE FUNCTION makegood_shifts_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM makegood_user WHERE id = NEW.user_id FOR NO KEY UPDATE;
  IF EXISTS (SELECT 1 FROM makegood_shift s WHERE s.user_id = NEW.user_id AND s.id <> NEW.id
             AND s.starts_at < NEW.ends_at AND s.ends_at > NEW.starts_at) THEN
    RAISE EXCEPTION 'two shifts of one person overlap' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER shifts_apart BEFORE INSERT OR UPDATE ON makegood_shift
  FOR EACH ROW EXECUTE FUNCTION makegood_shifts_apart();
