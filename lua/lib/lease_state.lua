-- lease_state: a token bucket of which permits are out on lease. A fragment of lib/token_bucket.lua and of lease.lua.
--
-- Given: capacity, interval, num, den; arrival (now), rest (0), us and numerator of the key; out, the text behind them:
--   ':first:permits:second:permits', two groups of permits that nobody has reported as spent, each with the instant in
--   microseconds at which its holders stop spending and the bucket forgets it. 0 permits: no such group.
-- Sets: first, first_out, second, second_out, as they are now; out, nothing if no permit is out any more; arrival and rest,
--   which stay as given where the text is not ours.
--
-- What is in the bucket and what is out never exceed the capacity together: neither when a group lapses, looked at as if at
-- that instant, nor now. So no interval ever sees more than the capacity and what refilled in it.
-- Twin: limiter/lease_ledger.

first, first_out, second, second_out = string.match(out, '^:(%d+):(%d+):(%d+):(%d+)$')
first, first_out, second, second_out = number(first), number(first_out), number(second), number(second_out)
local largest = 9007199254740992
if first and math.max(first, first_out, second, second_out) < largest then
  if us > now then
    arrival, rest = us, numerator
    if rest >= den then arrival, rest = arrival + 1, 0 end
  end
  local product = capacity * num
  local part = product % den
  local latest = now + capacity * interval + (product - part) / den
  local ahead = arrival > latest or arrival == latest and rest > part
  if ahead then arrival, rest = latest, part end

  -- No lease lives for more than half a second: a clock set back left it there.
  if first > now + 500000 then first = now + 500000 end
  if second > now + 500000 then second = now + 500000 end
  if second <= first then first_out, second, second_out = first_out + second_out, 0, 0 end

  local lapsed
  repeat
    lapsed = first_out + second_out > 0 and first <= now
    product = math.min(first_out + second_out, capacity)
    local least = (lapsed and first or now) + product * interval
    product = product * num
    part = product % den
    least = least + (product - part) / den
    if arrival < least or arrival == least and rest < part then arrival, rest = least, part end
    if lapsed then first, first_out, second, second_out = second, second_out, 0, 0 end
  until not lapsed
  if first_out == 0 then first, first_out, second, second_out = second, second_out, 0, 0 end
  out = first_out > 0 and format(':%d:%d:%d:%d', first, first_out, second, second_out) or nil
  if ahead then
    call('SET', keys[i], format('%d:%d', arrival, rest) .. (out or ''), 'PXAT',
         format('%d', (arrival - arrival % 2000000) / 1000 + 4000))
  end
else
  out, first, first_out, second, second_out = nil, 0, 0, 0, 0
end
