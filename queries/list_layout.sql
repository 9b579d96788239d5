-- How people have arranged lists.

-- name: ListLayout :one
SELECT * FROM list_layouts WHERE staff_id = @staff_id AND page = @page;

-- name: SaveListLayout :exec
INSERT INTO list_layouts (staff_id, page, hidden, compact) VALUES (@staff_id, @page, @hidden, @compact)
ON CONFLICT (staff_id, page) DO UPDATE SET hidden = excluded.hidden, compact = excluded.compact;
