-- Every event, by whichever verb, reaches every endpoint that wants it: in the statement that writes the event, without a
-- round trip, and for a site without endpoints with one look at an empty table.
CREATE FUNCTION makegood_event_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO makegood_hookcall (key, hook_id, event_id, state, tries, look_at, made_at)
  SELECT gen_random_uuid(), h.id, NEW.id, 'waiting', 0, NEW.written_at, NEW.written_at
  FROM makegood_hook h
  WHERE h.off_at IS NULL AND (h.kinds = '{}' OR NEW.kind = ANY (h.kinds))
    AND (h.shop_id IS NULL OR h.shop_id = (SELECT shop_id FROM makegood_case WHERE id = NEW.case_id));
  RETURN NULL;
END $$;
CREATE TRIGGER event_calls AFTER INSERT ON makegood_caseevent
  FOR EACH ROW EXECUTE FUNCTION makegood_event_calls();
