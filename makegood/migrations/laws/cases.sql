-- The laws of docs/house.md as the database keeps them. What cannot be stored cannot happen.

-- Law 4: history is append-only.
CREATE FUNCTION makegood_events_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'case events are append-only (law 4)' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER events_stand BEFORE UPDATE OR DELETE ON makegood_caseevent
  FOR EACH ROW EXECUTE FUNCTION makegood_events_stand();
CREATE TRIGGER events_stand_all BEFORE TRUNCATE ON makegood_caseevent
  FOR EACH STATEMENT EXECUTE FUNCTION makegood_events_stand();

-- The seq of an event is the version of its case: no gap, no double, no event beside the pen.
CREATE FUNCTION makegood_event_is_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.seq IS DISTINCT FROM (SELECT version FROM makegood_case WHERE id = NEW.case_id) THEN
    RAISE EXCEPTION 'event seq % is not the version of case %', NEW.seq, NEW.case_id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER event_is_version BEFORE INSERT ON makegood_caseevent
  FOR EACH ROW EXECUTE FUNCTION makegood_event_is_version();

-- A case changes by one version at a time, keeps its first clock for ever, and is never deleted.
CREATE FUNCTION makegood_case_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'cases are never deleted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.opened_at <> OLD.opened_at OR NEW.id <> OLD.id THEN
    RAISE EXCEPTION 'the first clock of a case never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.version <> OLD.version + 1 THEN
    RAISE EXCEPTION 'case % changes by one version at a time, with an event', OLD.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  -- Law 3: urgency and its floor drop only with the lowering of somebody who may, and who does not own the case.
  IF (NEW.urgency < OLD.urgency OR NEW.urgency_floor < OLD.urgency_floor) AND NOT EXISTS (
      SELECT 1 FROM makegood_urgencylowering l JOIN makegood_user u ON u.id = l.by_id
       WHERE l.case_id = NEW.id AND l.seq = NEW.version AND l.from_level = OLD.urgency
         AND l.to_level <= NEW.urgency AND l.to_level <= NEW.urgency_floor
         AND u.role IN ('lead', 'manager', 'admin') AND l.by_id IS DISTINCT FROM OLD.owner_id) THEN
    RAISE EXCEPTION 'urgency of case % may not drop silently (law 3)', OLD.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER case_step BEFORE UPDATE OR DELETE ON makegood_case
  FOR EACH ROW EXECUTE FUNCTION makegood_case_step();

-- At the end of the transaction: each version has its event, a rise has its evidence, and 'ended' means that an ending stands.
CREATE FUNCTION makegood_case_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE rose boolean; BEGIN
  IF NOT EXISTS (SELECT 1 FROM makegood_caseevent WHERE case_id = NEW.id AND seq = NEW.version) THEN
    RAISE EXCEPTION 'version % of case % has no event', NEW.version, NEW.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF TG_OP = 'INSERT' THEN rose := NEW.urgency > 1; ELSE rose := NEW.urgency > OLD.urgency; END IF;
  IF rose AND NOT EXISTS (SELECT 1 FROM makegood_urgencyevidence
      WHERE case_id = NEW.id AND seq = NEW.version AND level >= NEW.urgency) THEN
    RAISE EXCEPTION 'urgency of case % rose without evidence', NEW.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'reported' THEN
      RAISE EXCEPTION 'a case begins as reported' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  ELSIF NEW.status <> OLD.status OR NEW.ended_as <> OLD.ended_as THEN
    PERFORM makegood_ended_is_whole(NEW.id);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION makegood_ended_is_whole(which bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE c record; made boolean; other text; BEGIN
  SELECT status, ended_as, round INTO c FROM makegood_case WHERE id = which;
  SELECT true INTO made FROM makegood_closure WHERE case_id = which;
  SELECT kind INTO other FROM makegood_ending WHERE case_id = which;
  IF c.status = 'ended' THEN
    IF c.ended_as = 'made_good' AND (made IS NULL OR other IS NOT NULL) THEN
      RAISE EXCEPTION 'case % is not made good: no closure stands (law 2)', which USING ERRCODE = 'integrity_constraint_violation';
    ELSIF c.ended_as <> 'made_good' AND (other IS DISTINCT FROM c.ended_as OR made IS NOT NULL) THEN
      RAISE EXCEPTION 'case % has not ended as %: no such ending stands (law 2)', which, c.ended_as USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM makegood_case WHERE parent_id = which AND status <> 'ended') THEN
      RAISE EXCEPTION 'case % may not end before its children', which USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  ELSIF made IS NOT NULL OR other IS NOT NULL THEN
    RAISE EXCEPTION 'case % is open and ended at once (law 2)', which USING ERRCODE = 'integrity_constraint_violation';
  END IF;
END $$;
CREATE CONSTRAINT TRIGGER case_whole AFTER INSERT OR UPDATE ON makegood_case
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION makegood_case_whole();

-- An ending that comes or goes must fit its case too.
CREATE FUNCTION makegood_ending_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM makegood_ended_is_whole(COALESCE(NEW.case_id, OLD.case_id));
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER closure_fits AFTER INSERT OR UPDATE OR DELETE ON makegood_closure
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION makegood_ending_fits();
CREATE CONSTRAINT TRIGGER ending_fits AFTER INSERT OR UPDATE OR DELETE ON makegood_ending
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION makegood_ending_fits();

-- Law 2: the closing rule as table shape. All pieces are of one case and one round; only 'all good' can be pointed at.
ALTER TABLE makegood_fix ADD CONSTRAINT fix_of_case UNIQUE (id, case_id, round, by_id);
ALTER TABLE makegood_verification
  ADD CONSTRAINT verification_of_case UNIQUE (id, case_id, round),
  ADD CONSTRAINT verification_of_fix FOREIGN KEY (fix_id, case_id, round, fixed_by_id)
    REFERENCES makegood_fix (id, case_id, round, by_id);
ALTER TABLE makegood_telling
  ADD CONSTRAINT telling_of_case UNIQUE (id, case_id, round),
  ADD CONSTRAINT telling_of_whole UNIQUE (id, verification_id),
  ADD CONSTRAINT telling_of_verification FOREIGN KEY (verification_id, case_id, round)
    REFERENCES makegood_verification (id, case_id, round);
ALTER TABLE makegood_confirmationask
  ADD CONSTRAINT ask_of_telling FOREIGN KEY (telling_id, case_id, round) REFERENCES makegood_telling (id, case_id, round);
ALTER TABLE makegood_confirmation
  ADD CONSTRAINT confirmation_of_case UNIQUE (id, case_id, round, telling_id, answer),
  ADD CONSTRAINT confirmation_of_telling FOREIGN KEY (telling_id, case_id, round)
    REFERENCES makegood_telling (id, case_id, round);
ALTER TABLE makegood_case ADD CONSTRAINT case_round UNIQUE (id, round);
ALTER TABLE makegood_closure
  ADD CONSTRAINT closure_of_verification FOREIGN KEY (verification_id, case_id, round)
    REFERENCES makegood_verification (id, case_id, round),
  ADD CONSTRAINT closure_of_telling FOREIGN KEY (telling_id, verification_id) REFERENCES makegood_telling (id, verification_id),
  ADD CONSTRAINT closure_of_confirmation FOREIGN KEY (confirmation_id, case_id, round, telling_id, answer)
    REFERENCES makegood_confirmation (id, case_id, round, telling_id, answer),
  ADD CONSTRAINT closure_of_round FOREIGN KEY (case_id, round) REFERENCES makegood_case (id, round) DEFERRABLE INITIALLY DEFERRED;

-- 'Unconfirmed' needs documented attempts: at least three, in the telling's round.
CREATE FUNCTION makegood_unconfirmed_was_asked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.kind = 'unconfirmed' AND (
      SELECT count(*) FROM makegood_confirmationask WHERE case_id = NEW.case_id AND round = NEW.round) < 3 THEN
    RAISE EXCEPTION 'case % was not asked three times', NEW.case_id USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER unconfirmed_was_asked BEFORE INSERT OR UPDATE ON makegood_ending
  FOR EACH ROW EXECUTE FUNCTION makegood_unconfirmed_was_asked();

-- Planner statistics for the most common search words (shared/text.md 1.1), and case numbers that start with six digits.
ALTER TABLE makegood_searchentry ALTER COLUMN vector SET STATISTICS 1000;
ALTER TABLE makegood_case ALTER COLUMN id RESTART WITH 1001;
