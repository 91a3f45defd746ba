-- What is asked of a shop to stop a payment: sent once, never again after that, as a step of a remedy is (remedies.sql).
CREATE FUNCTION makegood_freeze_ask_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'the ledger of asks is never deleted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.ours <> OLD.ours OR NEW.freeze_id <> OLD.freeze_id OR NEW.store_id <> OLD.store_id
     OR NEW.payment_id IS DISTINCT FROM OLD.payment_id OR NEW.order_id IS DISTINCT FROM OLD.order_id
     OR (OLD.sent_at IS NOT NULL AND NEW.sent_at IS DISTINCT FROM OLD.sent_at) THEN
    RAISE EXCEPTION 'what freeze % asks for never changes', OLD.ours USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.state <> OLD.state AND NOT (
      (OLD.state = 'planned' AND NEW.state IN ('sending', 'dropped'))
      OR (OLD.state = 'sending' AND NEW.state IN ('done', 'refused', 'unknown'))
      OR (OLD.state = 'unknown' AND NEW.state IN ('done', 'refused'))
      OR (OLD.state = 'refused' AND NEW.state = 'done')
      -- only what certainly never arrived is sent again, and as it was
      OR (OLD.state = 'refused' AND NEW.state IN ('planned', 'dropped') AND OLD.code IN ('busy', 'unreachable', 'not_there')))
  THEN
    RAISE EXCEPTION 'freeze % may not go from % to %: it could happen twice', OLD.ours, OLD.state, NEW.state
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER freeze_ask_moves BEFORE UPDATE OR DELETE ON makegood_freezeask
  FOR EACH ROW EXECUTE FUNCTION makegood_freeze_ask_moves();
