-- The text of a test scan is a code somebody may hold: it rests sealed, beside the body.
ALTER TABLE command ADD COLUMN sealed_text TEXT;
-- What a replacement becomes when its code is used; until then the device in service stays as it is.
ALTER TABLE pairing_code ADD COLUMN planned TEXT;
ALTER TABLE pairing_code ADD COLUMN planned_by TEXT;
