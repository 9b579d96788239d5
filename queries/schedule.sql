-- Takes a slot of a scheduled job. No row: another process has it.
-- name: TakeSlot :execrows
INSERT INTO schedule_slots (job, slot) VALUES (@job, @slot) ON CONFLICT DO NOTHING;

-- name: ForgetSlots :exec
DELETE FROM schedule_slots WHERE slot < @before;

-- name: EnsurePartition :one
SELECT ensure_partition(@now::timestamptz)::integer AS made;
