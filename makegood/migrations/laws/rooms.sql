-- The card is edited by many at once: what somebody wrote is never overwritten. Only erasing the words may come later.
CREATE FUNCTION makegood_card_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.text = '' AND (NEW.id, NEW.room_id, NEW.field, NEW.n, NEW.by_id, NEW.at)
      IS NOT DISTINCT FROM (OLD.id, OLD.room_id, OLD.field, OLD.n, OLD.by_id, OLD.at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'versions of the card are only added' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER card_stands BEFORE UPDATE OR DELETE ON makegood_cardfield
  FOR EACH ROW EXECUTE FUNCTION makegood_card_stands();
