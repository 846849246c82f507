-- token_bucket: continuous token bucket as GCRA. A fragment of acquire.lua, which says what is given and what is to be set.
--
-- Parameters: p1 capacity (permits), p2 whole microseconds of the emission interval; kind 1 adds numerator and denominator
--   of the rest of the interval, in lowest terms.
-- Key: the theoretical arrival time in microseconds, an integer that Redis keeps without a string; or, between two
--   microseconds, 'us:numerator'; with permits out on lease more follows, which lib/lease_state.lua reads and this keeps.
--   Below now means untouched.
-- Expiry: the end of the two seconds that follow the two seconds in which the arrival time lies. All arrival times of the
--   same two seconds share it, so a busy key seldom needs a new one and moves by INCRBY. It depends on no parameter, or a
--   changed limit could leave a key that dies before its state does.
-- Twin: limiter/token_bucket.

local capacity, interval = p1, p2
local num, den = 0, 1
if kind == 1 then num, den = decode('<dd', arg, 26) end
local arrival, rest, old, out = now, 0, number(stored)
if old then
  if old > now and old < 9007199254740992 then arrival = old end
elseif type(stored) == 'string' then
  local us, numerator, leases = string.match(stored, '^(%d+):(%d+)(.*)$')
  us, numerator = number(us), number(numerator)
  if us and us < 9007199254740992 then
    if leases == '' then
      if us >= now then arrival, rest, old = us, numerator, us end
    else
      local first, first_out, second, second_out
      out = leases
      --@include lib/lease_state.lua
    end
  end
end

if kind == 0 then
  -- Left by the same limit with a fractional interval: rounded up.
  if rest > 0 then arrival = arrival + 1 end
  local latest = now + capacity * interval
  if arrival > latest then
    arrival, old, stored = latest, latest, format('%d', latest)
    call('SET', keys[i], stored, 'PXAT', format('%d', (latest - latest % 2000000) / 1000 + 4000))
  end

  local charged = arrival + cost * interval
  if charged > latest then
    fits = 0
    if cost > capacity then retry = -1 else retry = charged - latest end
  elseif charging and cost > 0 then
    arrival = charged
    local pair = charged - charged % 2000000
    if old and pair == old - old % 2000000 and format('%d', old) == stored then
      value = format('%d', charged - old)
    else
      value, expires = format('%d', charged), format('%d', pair / 1000 + 4000)
    end
  end
  local left = latest - arrival
  remaining, reset = (left - left % interval) / interval, arrival - now
else
  -- Left by the same limit with another denominator: rounded up.
  if rest >= den then arrival, rest = arrival + 1, 0 end
  local product = capacity * num
  local latest_rest = product % den
  local latest = now + capacity * interval + (product - latest_rest) / den
  if arrival > latest or arrival == latest and rest > latest_rest then
    arrival, rest, old = latest, latest_rest, latest
    call('SET', keys[i], format('%d:%d', latest, rest), 'PXAT', format('%d', (latest - latest % 2000000) / 1000 + 4000))
  end

  product = rest + cost * num
  local charged_rest = product % den
  local charged = arrival + cost * interval + (product - charged_rest) / den
  if charged > latest or charged == latest and charged_rest > latest_rest then
    fits = 0
    if cost > capacity then
      retry = -1
    else
      retry = charged - latest
      if charged_rest > latest_rest then retry = retry + 1 end
    end
  elseif charging and cost > 0 then
    arrival, rest = charged, charged_rest
    if rest == 0 then value = format('%d', arrival) else value = format('%d:%d', arrival, rest) end
    local pair = arrival - arrival % 2000000
    if old and pair == old - old % 2000000 then expires = 'KEEPTTL' else expires = format('%d', pair / 1000 + 4000) end
  end

  -- How many intervals fit into what is left: a guess in floating point, then made exact in whole numbers.
  local left, left_rest = latest - arrival, latest_rest - rest
  if left_rest < 0 then left, left_rest = left - 1, left_rest + den end
  remaining = math.floor((left + left_rest / den) / (interval + num / den)) + 1
  repeat
    product = remaining * num
    local used_rest = product % den
    local used = remaining * interval + (product - used_rest) / den
    local too_many = used > left or used == left and used_rest > left_rest
    if too_many then remaining = remaining - 1 end
  until not too_many
  reset = arrival - now
  if rest > 0 then reset = reset + 1 end
end
if out and value then value = format('%d:%d', arrival, rest) .. out end
