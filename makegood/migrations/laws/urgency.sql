-- Law 3, once more: nobody lowers the urgency while a legal clock runs on the case.
CREATE FUNCTION makegood_no_lowering_in_a_legal_window() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM makegood_promise WHERE case_id = NEW.case_id AND basis = 'statutory' AND state = 'open') THEN
    RAISE EXCEPTION 'urgency of case % may not drop while a legal clock runs (law 3)', NEW.case_id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER not_in_a_legal_window BEFORE INSERT ON makegood_urgencylowering
  FOR EACH ROW EXECUTE FUNCTION makegood_no_lowering_in_a_legal_window();
