-- packed_buckets: token buckets of one caller that share a key. A fragment of acquire.lua, which says what is given and what
-- is to be set.
--
-- Argument: behind the kind, for each bucket '<dddBBI4': cost, capacity, whole microseconds of the emission interval, kind
--   (0 or 1, + 128 in shadow), place among the limits of the request, id of the limit; kind 1 adds '<dd', numerator and
--   denominator of the rest of the interval.
-- Key: for each bucket its id, then as a double the theoretical arrival time in microseconds; negative if it lies between
--   two microseconds and the numerator follows as one more double. Buckets that the request does not meet keep what they
--   hold. One is left out when its own key, as in token_bucket, would have expired: not before, for a clock may go back.
-- Expiry: as in token_bucket, of the latest arrival time.
-- Twin: limiter/token_bucket, for each.

local times, rests, at, far, kept = {}, {}, 1, 0, ''
local size = type(stored) == 'string' and #stored or 0
while size - at > 10 do
  local id, us, rest = decode('<I4d', stored, at)
  at, rest = at + 12, 0
  if us < 0 then
    us = -us
    if size - at > 6 then rest = decode('<d', stored, at) end
    at = at + 8
  end
  if us - us % 2000000 + 4000000 > now and us < 9007199254740992 and us % 1 == 0
    and rest >= 0 and rest < 9007199254740992 and rest % 1 == 0 then
    times[id], rests[id] = us, rest
  end
end

local changed, refused = false, false
at, size = 2, each and #arg - 8 or #arg
while at < size do
  local asked, capacity, interval, how, position, id
  asked, capacity, interval, how, position, id, at = decode('<dddBBI4', arg, at)
  local shadow, num, den = how > 127, 0, 1
  kind = how % 128
  if kind == 1 then num, den, at = decode('<dd', arg, at) end
  if not each then cost = asked end
  if at < size then several = true end
  fits, remaining, reset, retry = 1, 0, 0, 0

  local arrival, rest, clamped, charged = times[id], rests[id], false, false
  if not arrival or arrival < now then arrival, rest = now, 0 end
  --@include lib/bucket.lua
  if clamped or charged then times[id], rests[id], changed = arrival, rest, true end
  enforced = not shadow
  refused = refused or fits == 0 and enforced
  if several then
    answers = answers or {}
    answers[position] = encode('<i8i8i8i8', fits, remaining, reset, retry)
  end
end
if several then
  enforced, fits = true, refused and 0 or 1
end

if changed then
  for id, us in next, times do
    local rest = rests[id]
    if rest == 0 then
      kept = kept .. encode('<I4d', id, us)
    else
      kept = kept .. encode('<I4dd', id, -us, rest)
    end
    if us > far then far = us end
  end
  local until_ms = format('%d', (far - far % 2000000) / 1000 + 4000)
  if charging then value, expires = kept, until_ms else call('SET', keys[i], kept, 'PXAT', until_ms) end
end
