-- fixed_window: at most `limit` permits from a caller's first request until the window's end; then anew. A fragment of
-- acquire.lua, which says what is given and what is to be set.
--
-- Parameters: p1 limit (permits), p2 length of the window in microseconds.
-- Key: end of the window in milliseconds and permits used, the latter in six digits: 'EEEEEEEEEEEEEUUUUUU', one integer
--   that Redis stores without a string and moves by INCRBY; more permits than six digits hold are written 'end:used'.
--   The integer is longer than a double is exact: it is only ever taken apart as text.
-- Expiry: the end of the window.
-- Twin: limiter/fixed_window.

local limit = p1
local ends, used, whole = 0, 0, false
if stored then
  local e, u = match(stored, '^([1-9]%d*)(%d%d%d%d%d%d)$')
  whole = e ~= nil
  if not whole then e, u = match(stored, '^(%d+):(%d+)$') end
  if e then ends, used = number(e), number(u) end
end
local touched = now < ends * 1000
if not touched then used = 0 end

local latest = floor((now + p2 + 999) / 1000)
local repaired = touched and ends > latest
if repaired or not touched then ends = latest end

if used + cost > limit then
  fits = false
  if cost > limit then retry = -1 else retry = ends * 1000 - now end
elseif cost > 0 then
  used = used + cost
end
if repaired or fits and cost > 0 then
  if touched and whole and not repaired and used <= 999999 then
    delta = cost
  else
    value = format(used <= 999999 and '%d%06d' or '%d:%d', ends, used)
    expires = format('%d', ends)
  end
end
if used < limit then remaining = limit - used end
if touched or used > 0 then reset = ends * 1000 - now end
