-- A promise that was given never moves. Kept is kept, unless the letter that kept it did not arrive.
CREATE FUNCTION makegood_promise_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.due_at <> OLD.due_at OR NEW.made_at <> OLD.made_at OR NEW.case_id <> OLD.case_id
     OR NEW.basis <> OLD.basis OR NEW.policy <> OLD.policy OR NEW.words <> OLD.words
     OR NEW.calendar_id IS DISTINCT FROM OLD.calendar_id OR NEW.trigger_at IS DISTINCT FROM OLD.trigger_at THEN
    RAISE EXCEPTION 'a promise that was given never moves' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF OLD.state <> 'open' AND NEW.state <> OLD.state AND NOT (
      OLD.state = 'kept' AND NEW.state = 'broken' AND EXISTS (
        SELECT 1 FROM makegood_delivery d WHERE d.id = NEW.undone_by_id AND d.message_id = OLD.proof_id
           AND d.state IN ('failed', 'bounced'))) THEN
    RAISE EXCEPTION 'how a promise ended never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER promise_stands BEFORE UPDATE ON makegood_promise
  FOR EACH ROW EXECUTE FUNCTION makegood_promise_stands();

-- A version of a calendar and the source of a letter stand as they are: promises and threads were built on them.
CREATE FUNCTION makegood_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% never changes', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER version_stands BEFORE UPDATE ON makegood_calendarversion
  FOR EACH ROW EXECUTE FUNCTION makegood_stands();
CREATE TRIGGER source_stands BEFORE UPDATE ON makegood_lettersource
  FOR EACH ROW EXECUTE FUNCTION makegood_stands();
