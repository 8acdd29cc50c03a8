-- A page of a list is two thousand rows in a row of their keys, each somewhere else in the table. This
-- index has all a page needs, so a page is read in one piece.
CREATE INDEX list_row_page ON list_row (tenant, site, scope, list_key, added_version, removed_version, bucket, body);
