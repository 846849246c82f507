-- periodic_bucket: token bucket that gains `refill` permits at the end of each period. A fragment of acquire.lua, which says
-- what is given and what is to be set.
--
-- Parameters: p1 capacity (permits), p2 permits of a refill; then one more double: the period in microseconds, whole
--   milliseconds.
-- Key: the refill that makes the bucket full, in 13 digits of milliseconds, then the permits that are missing just before it
--   (1 to refill) in 6: 'EEEEEEEEEEEEEMMMMMM', one integer as in fixed_window; from a million on 'EEEEEEEEEEEEE:M…'. Every
--   refill before it brings `refill` permits, so the two say what is missing at any instant.
-- Expiry: that refill.
-- Twin: limiter/periodic_bucket.

local capacity, refill, period = p1, p2, decode('<d', arg, 26)
local missing, next_refill, full, last, integer = 0, now - now % 1000 + period
local size = stored and #stored or 0
if size == 19 then
  integer = string.find(stored, '^[1-9]%d+$')
  last = integer and string.sub(stored, 14)
elseif size > 20 and size < 28 then
  last = string.match(stored, '^[1-9]%d%d%d%d%d%d%d%d%d%d%d%d:([1-9]%d+)$')
end
if last then
  full, last = number(string.sub(stored, 1, 13)) * 1000, number(last)
  if now >= full then full = nil end
end
if full then
  local refills = math.ceil((full - now) / period)
  next_refill = full - (refills - 1) * period
  -- Beyond what these parameters allow: left by others, or by a clock that went back since.
  local clamped = refills > math.ceil(capacity / refill)
  if clamped then
    missing = capacity
  else
    if last > refill then clamped, last = true, refill end
    missing = last + (refills - 1) * refill
    if missing > capacity then clamped, missing = true, capacity end
  end
  if clamped then
    refills = math.ceil(missing / refill)
    full, last = next_refill + (refills - 1) * period, missing - (refills - 1) * refill
    integer = last < 1000000
    call('SET', keys[i], format(last > 999999 and '%d:%d' or '%d%06d', full / 1000, last), 'PXAT', format('%d', full / 1000))
  end
end

remaining = capacity - missing
if cost > remaining then
  fits = 0
  if cost > capacity then
    retry = -1
  else
    retry = next_refill + (math.ceil((missing + cost - capacity) / refill) - 1) * period - now
  end
elseif charging and cost > 0 then
  missing, remaining = missing + cost, remaining - cost
  local refills = math.ceil(missing / refill)
  local new_full = next_refill + (refills - 1) * period
  last = missing - (refills - 1) * refill
  if last > 999999 then
    value, expires = format('%d:%d', new_full / 1000, last), format('%d', new_full / 1000)
  elseif integer and full == new_full then
    value = format('%d', cost)
  else
    value, expires = format('%d%06d', new_full / 1000, last), format('%d', new_full / 1000)
  end
  full = new_full
end
if full then reset = full - now end
