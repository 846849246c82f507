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

local clamped, charged = false, false
--@include lib/bucket.lua
if charged or clamped then
  local pair = arrival - arrival % 2000000
  local state
  if out then
    state = format('%d:%d', arrival, rest) .. out
  else
    state = format(rest > 0 and '%d:%d' or '%d', arrival, rest)
  end
  if not charged then
    call('SET', keys[i], state, 'PXAT', format('%d', pair / 1000 + 4000))
  elseif clamped or not old or pair ~= old - old % 2000000 or kind == 0 and format('%d', old) ~= stored then
    value, expires = state, format('%d', pair / 1000 + 4000)
  elseif kind == 0 then
    value = format('%d', arrival - old)
  else
    value, expires = state, 'KEEPTTL'
  end
end
