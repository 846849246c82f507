-- lease: permits of one busy counter in advance, for one holder that spends them without asking until they lapse; and what
-- became of those that it took before.
--
-- KEYS[1]  the counter, as acquire.lua keeps it: both scripts charge the same one
-- ARGV[1]  struct '<Bddddddddddddd':
--            kind      0 token bucket, 2 fixed window of a first request
--            capacity and emission interval in microseconds: whole, numerator, denominator; or limit, window, 0, 1
--            epoch     microseconds; what is granted in one lapses together, an epoch after its end (a bucket's only)
--            want      permits; 0 only reports
--            least     permits below which a grant is of no use; from 1 to want
--            twice     a report: the group (the instant at which it lapses), permits spent of it and permits returned
--                      unspent since the last report
-- ARGV[2]  microseconds since the epoch to decide by, for tests only; without it the server's own clock
--
-- Reply: one bulk string of little-endian int64: now_us, granted, lapses_us (the group), valid_us (until then), remaining
--        (permits left to everybody), reset_us, retry_us (until `least` would be there, 0 if granted, -1: never).
--
-- Invariants:
--   A grant is half of what is there, rounded up, but no more than `want`: nobody takes the last permits from everybody.
--   A report is subtracted from its own group only, and only while that is known: nobody frees permits of others.
--   The level is bounded by what is out before a report makes that less.
--   Without a grant and without anything that a report could change, nothing is written.
--   What no limiter wrote counts as an untouched counter.
--
-- The twin in C++: limiter/lease_ledger, which gives the same answer to the bit.

local keys, i, call, format, number = KEYS, 1, redis.call, string.format, tonumber
local decode, floor, min = struct.unpack, math.floor, math.min

local arg = ARGV[1]
local kind, capacity, interval, num, den, epoch, want, least = decode('<Bddddddd', arg)
local now = ARGV[2]
if now then
  now = number(now)
else
  local t = call('TIME')
  now = t[1] * 1000000 + t[2]
end
-- pcall: a key of another type reads as an error table; what else goes wrong must not pass for an untouched counter.
local stored = redis.pcall('GET', keys[1])
if type(stored) == 'table' and string.sub(stored.err, 1, 9) ~= 'WRONGTYPE' then return stored end
if type(stored) ~= 'string' then stored = nil end

local changed, granted, lapses, left, reset, retry = false, 0, 0, 0, 0, 0
if kind == 0 then
  --@include lib/lease_bucket.lua
else
  --@include lib/lease_window.lua
end
return struct.pack('<i8i8i8i8i8i8i8', now, granted, lapses, granted > 0 and lapses - now or 0, left, reset, retry)
