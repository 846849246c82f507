-- bucket: the arithmetic of a continuous token bucket as GCRA, wherever its state is kept. A fragment of token_bucket.lua and
-- packed_buckets.lua.
--
-- Given: kind (0: whole interval, 1: fractional), cost, capacity, interval, num, den; arrival and rest, the theoretical
--   arrival time, not below now.
-- Set: fits, remaining, reset, retry; arrival and rest as they are to be kept; clamped (they were out of range), charged.
-- Twin: limiter/token_bucket.

if kind == 0 then
  -- Left by the same limit with a fractional interval: rounded up.
  if rest > 0 then arrival, rest = arrival + 1, 0 end
  local latest = now + capacity * interval
  if arrival > latest then arrival, clamped = latest, true end

  local due = arrival + cost * interval
  if due > latest then
    fits = 0
    if cost > capacity then retry = -1 else retry = due - latest end
  elseif charging and cost > 0 then
    arrival, charged = due, true
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
    arrival, rest, clamped = latest, latest_rest, true
  end

  product = rest + cost * num
  local due_rest = product % den
  local due = arrival + cost * interval + (product - due_rest) / den
  if due > latest or due == latest and due_rest > latest_rest then
    fits = 0
    if cost > capacity then
      retry = -1
    else
      retry = due - latest
      if due_rest > latest_rest then retry = retry + 1 end
    end
  elseif charging and cost > 0 then
    arrival, rest, charged = due, due_rest, true
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
