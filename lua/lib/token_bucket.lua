-- token_bucket: continuous token bucket as GCRA. A fragment of acquire.lua, which says what is given and what is to be set.
--
-- Parameters: p1 capacity (permits), p2 whole microseconds of the emission interval; kind 1 adds numerator and denominator
--   of the rest of the interval, in lowest terms.
-- Key: the theoretical arrival time, 'us' or, between two microseconds, 'us:numerator'. Below now means untouched.
-- Expiry: the end of the two seconds that follow the two seconds in which the arrival time lies. All arrival times of the
--   same two seconds share it, so a busy key moves by INCRBY and keeps its expiry. It depends on no parameter, or a changed
--   limit could leave a key that dies before its state does.
-- Twin: limiter/token_bucket.

local capacity, interval = p1, p2
local arrival, rest, old = now, 0, nil
if stored then
  if match(stored, '^[1-9]%d*$') then
    old = number(stored)
    if old > now then arrival = old end
  else
    local us, numerator = match(stored, '^(%d+):(%d+)$')
    if us then
      us, numerator = number(us), number(numerator)
      if us >= now then arrival, rest = us, numerator end
    end
  end
end

if kind == 0 then
  -- Left by the same limit with a fractional interval: rounded up.
  if rest > 0 then arrival = arrival + 1 end
  local latest = now + capacity * interval
  local repaired = arrival > latest
  if repaired then arrival = latest end

  local charged = arrival + cost * interval
  if charged > latest then
    fits = false
    if cost > capacity then retry = -1 else retry = charged - latest end
  else
    arrival = charged
  end
  if repaired or fits and cost > 0 then
    local half = floor(arrival / 2000000)
    if old and not repaired and half == floor(old / 2000000) then
      delta = arrival - old
    else
      value, expires = format('%d', arrival), format('%d', (half + 2) * 2000)
    end
  end
  remaining, reset = floor((latest - arrival) / interval), arrival - now
else
  local num, den = decode('<dd', arg, 26)
  -- Left by the same limit with another denominator: rounded up.
  if rest >= den then arrival, rest = arrival + 1, 0 end
  local product = capacity * num
  local latest_rest = product % den
  local latest = now + capacity * interval + (product - latest_rest) / den
  local repaired = arrival > latest or arrival == latest and rest > latest_rest
  if repaired then arrival, rest = latest, latest_rest end

  product = rest + cost * num
  local charged_rest = product % den
  local charged = arrival + cost * interval + (product - charged_rest) / den
  if charged > latest or charged == latest and charged_rest > latest_rest then
    fits = false
    if cost > capacity then
      retry = -1
    else
      retry = charged - latest
      if charged_rest > latest_rest then retry = retry + 1 end
    end
  else
    arrival, rest = charged, charged_rest
  end
  if repaired or fits and cost > 0 then
    expires = format('%d', (floor(arrival / 2000000) + 2) * 2000)
    if rest == 0 then value = format('%d', arrival) else value = format('%d:%d', arrival, rest) end
  end

  -- How many intervals fit into what is left: a guess in floating point, then made exact in whole numbers.
  local left, left_rest = latest - arrival, latest_rest - rest
  if left_rest < 0 then left, left_rest = left - 1, left_rest + den end
  remaining = floor((left + left_rest / den) / (interval + num / den)) + 1
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
