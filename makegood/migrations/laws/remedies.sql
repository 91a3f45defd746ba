-- What must not happen with remedies, refused by the database whoever asks.

-- A row of the ledger: sent once, never again after that; what was sent never changes; what is done stays done.
CREATE FUNCTION makegood_step_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'the ledger of asks is never deleted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.ours <> OLD.ours OR NEW.remedy_id <> OLD.remedy_id OR NEW.action <> OLD.action
     OR NEW.amount IS DISTINCT FROM OLD.amount OR NEW.payment_id IS DISTINCT FROM OLD.payment_id
     OR (OLD.sent_at IS NOT NULL AND (NEW.sent_at IS DISTINCT FROM OLD.sent_at
         OR (NEW.state <> 'sending' AND NEW.ask IS DISTINCT FROM OLD.ask))) THEN
    RAISE EXCEPTION 'what step % asks for never changes', OLD.ours USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.state <> OLD.state AND NOT (
      (OLD.state = 'planned' AND NEW.state IN ('sending', 'dropped'))
      -- by hand: a person did it in the shop's own system and names its record
      OR (OLD.state = 'planned' AND NEW.state = 'done' AND NEW.by_hand AND NEW.ref <> '')
      OR (OLD.state = 'sending' AND NEW.state IN ('done', 'refused', 'unknown'))
      OR (OLD.state = 'unknown' AND NEW.state IN ('done', 'refused'))
      -- an answer said no, and the thing itself says that it is there after all: the thing is believed
      OR (OLD.state = 'refused' AND NEW.state = 'done')
      -- only what certainly never arrived is sent again, and as it was
      OR (OLD.state = 'refused' AND NEW.state IN ('planned', 'dropped') AND OLD.code IN ('busy', 'unreachable', 'not_there')))
  THEN
    RAISE EXCEPTION 'step % may not go from % to %: it could happen twice', OLD.ours, OLD.state, NEW.state
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER step_moves BEFORE UPDATE OR DELETE ON makegood_step
  FOR EACH ROW EXECUTE FUNCTION makegood_step_moves();

-- Refunds of a payment never exceed it. Counted when one is planned and when it is sent, under a lock on the payment; what the
-- source says has happened is never refused.
CREATE FUNCTION makegood_step_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE whole numeric; cur text; given numeric;
BEGIN
  IF NEW.action <> 'refund' OR NEW.payment_id IS NULL OR NEW.state NOT IN ('planned', 'sending') THEN
    RETURN NEW;
  END IF;
  SELECT amount, currency INTO whole, cur FROM makegood_payment WHERE id = NEW.payment_id FOR NO KEY UPDATE;
  SELECT coalesce(sum(amount), 0) INTO given FROM makegood_step
    WHERE payment_id = NEW.payment_id AND action = 'refund' AND id IS DISTINCT FROM NEW.id
      AND state NOT IN ('refused', 'dropped') AND there NOT IN ('refused', 'declined', 'withdrawn', 'reversed');
  IF NEW.currency IS DISTINCT FROM cur OR whole IS NULL OR given + NEW.amount > whole THEN
    RAISE EXCEPTION 'refunds of payment % would exceed it: % and % of %', NEW.payment_id, given, NEW.amount, whole
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'refunds_within_the_payment';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER step_sum BEFORE INSERT OR UPDATE OF state ON makegood_step
  FOR EACH ROW EXECUTE FUNCTION makegood_step_sum();

-- A remedy: what it is never changes; above its limit it waits for another person; the budget of the month is not overrun.
CREATE FUNCTION makegood_remedy_allowed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE top numeric; cur text; used numeric;
BEGIN
  IF TG_OP = 'UPDATE' AND (NEW.kind <> OLD.kind OR NEW.amount IS DISTINCT FROM OLD.amount OR NEW.currency <> OLD.currency
      OR NEW.payment_id IS DISTINCT FROM OLD.payment_id OR NEW.lines <> OLD.lines OR NEW.within IS DISTINCT FROM OLD.within
      OR NEW.needs_approval <> OLD.needs_approval OR NEW.budget_id IS DISTINCT FROM OLD.budget_id
      OR NEW.by_id <> OLD.by_id OR NEW.case_id <> OLD.case_id) THEN
    RAISE EXCEPTION 'what remedy % is never changes', OLD.id USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.needs_approval AND NEW.state IN ('offered', 'accepted', 'carrying', 'done', 'arrived') AND NOT EXISTS (
      SELECT 1 FROM makegood_approval a WHERE a.remedy_id = NEW.id AND a.state = 'given' AND a.by_id <> NEW.by_id) THEN
    RAISE EXCEPTION 'remedy % needs the approval of another person', NEW.id
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'approved_by_another';
  END IF;
  IF NEW.budget_id IS NOT NULL AND NEW.state IN ('offered', 'accepted', 'carrying', 'done', 'arrived')
     AND (TG_OP = 'INSERT' OR OLD.state NOT IN ('offered', 'accepted', 'carrying', 'done', 'arrived')) THEN
    SELECT "limit", currency INTO top, cur FROM makegood_budget WHERE id = NEW.budget_id FOR NO KEY UPDATE;
    -- Of the choices of one offer only one is taken: the dearest counts.
    SELECT coalesce(sum(most), 0) INTO used FROM (
      SELECT max(amount) AS most FROM (
        SELECT amount, coalesce(offer_id, -id) AS one FROM makegood_remedy
          WHERE budget_id = NEW.budget_id AND id IS DISTINCT FROM NEW.id
            AND state IN ('offered', 'accepted', 'carrying', 'done', 'arrived')
        UNION ALL SELECT NEW.amount, coalesce(NEW.offer_id, -NEW.id)) AS every
      GROUP BY one) AS each;
    IF NEW.currency IS DISTINCT FROM cur OR used > top THEN
      RAISE EXCEPTION 'the budget of the month would be overrun: % of %', used, top
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'within_the_budget';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER remedy_allowed BEFORE INSERT OR UPDATE ON makegood_remedy
  FOR EACH ROW EXECUTE FUNCTION makegood_remedy_allowed();

-- An approval that was given or refused stands; nobody approves what they decided themselves.
CREATE FUNCTION makegood_approval_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.state IN ('given', 'refused') AND NEW IS DISTINCT FROM OLD THEN
    RAISE EXCEPTION 'an approval stands' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.by_id IS NOT NULL AND NEW.by_id = (SELECT by_id FROM makegood_remedy WHERE id = NEW.remedy_id) THEN
    RAISE EXCEPTION 'nobody approves what they decided themselves'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'nobody_approves_themselves';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approval_stands BEFORE INSERT OR UPDATE ON makegood_approval
  FOR EACH ROW EXECUTE FUNCTION makegood_approval_stands();

-- A budget is not cut below what was used of it.
CREATE FUNCTION makegood_budget_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.shop_id <> OLD.shop_id OR NEW.month <> OLD.month OR NEW.currency <> OLD.currency THEN
    RAISE EXCEPTION 'a budget is of one shop, month and currency' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER budget_holds BEFORE UPDATE ON makegood_budget
  FOR EACH ROW EXECUTE FUNCTION makegood_budget_holds();
