-- fixed_window: at most `limit` permits within a window from the whole millisecond in which a caller's first request falls;
-- then anew. A fragment of acquire.lua, which says what is given and what is to be set.
--
-- Parameters: p1 limit (permits, at most 999999), p2 length of the window in microseconds, whole milliseconds.
-- Key: end of the window in 13 digits of milliseconds, then permits used in 6: 'EEEEEEEEEEEEEUUUUUU'. One integer, which
--   Redis keeps without a string and moves by INCRBY; but longer than a double is exact, so here it is only ever text.
-- Expiry: the end of the window.
-- Twin: limiter/fixed_window.

local limit = p1
local ends, used, open = (now - now % 1000 + p2) / 1000, 0, false
if stored and #stored == 19 and string.find(stored, '^[1-9]%d+$') then
  local stored_end = number(string.sub(stored, 1, 13))
  if now < stored_end * 1000 then
    open, used = true, number(string.sub(stored, 14))
    if stored_end <= ends then
      ends = stored_end
    else
      call('SET', keys[i], format('%d%06d', ends, used), 'PXAT', format('%d', ends))
    end
  end
end

if used < limit then remaining = limit - used end
if cost > remaining then
  fits = 0
  if cost > limit then retry = -1 else retry = ends * 1000 - now end
elseif charging and cost > 0 then
  used, remaining = used + cost, remaining - cost
  if open then
    value = format('%d', cost)
  else
    value, expires = format('%d%06d', ends, used), format('%d', ends)
  end
end
if used > 0 then reset = ends * 1000 - now end
