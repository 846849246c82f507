-- fixed_window: at most `limit` permits from a caller's first request until the window's end; then anew. A fragment of
-- acquire.lua, which says what is given and what is to be set.
--
-- Parameters: p1 limit (permits, at most 999999), p2 length of the window in microseconds.
-- Key: end of the window in milliseconds, then permits used in six digits: 'EEEEEEEEEEEEEUUUUUU'. One integer, which Redis
--   keeps without a string and moves by INCRBY; but longer than a double is exact, so it is only ever taken apart as text.
-- Expiry: the end of the window.
-- Twin: limiter/fixed_window.

local limit = p1
local latest = floor((now + p2 + 999) / 1000)
local ends, used, old = latest, 0, nil
if stored then
  local stored_end, stored_used = match(stored, '^([1-9]%d*)(%d%d%d%d%d%d)$')
  if stored_end then
    old = number(stored_end)
    if now < old * 1000 then
      used = number(stored_used)
      if old < latest then ends = old end
    else
      old = nil
    end
  end
end
local repaired = old and old > latest

if used < limit then remaining = limit - used end
if cost > remaining then
  fits = false
  if cost > limit then retry = -1 else retry = ends * 1000 - now end
else
  used, remaining = used + cost, remaining - cost
end
if repaired or fits and cost > 0 then
  if old and not repaired then
    delta = cost
  else
    value, expires = format('%d%06d', ends, used), format('%d', ends)
  end
end
if used > 0 then reset = ends * 1000 - now end
