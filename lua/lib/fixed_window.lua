-- fixed_window: at most `limit` permits within a window from the whole millisecond in which a caller's first request falls;
-- then anew. A fragment of acquire.lua, which says what is given and what is to be set.
--
-- Parameters: p1 limit (permits, at most 10^12), p2 length of the window in microseconds, whole milliseconds.
-- Key: end of the window in 13 digits of milliseconds, then permits used in 6: 'EEEEEEEEEEEEEUUUUUU'. One integer, which
--   Redis keeps without a string and moves by INCRBY; but longer than a double is exact, so here it is only ever text.
--   From a million permits on 'EEEEEEEEEEEEE:U…', 7 to 13 digits. What is stored tells the form, never the limit.
-- Expiry: the end of the window.
-- Twin: limiter/fixed_window.

local limit = p1
local ends, used, open, integer = (now - now % 1000 + p2) / 1000, 0, false, false
local size, stored_used = stored and #stored or 0
if size == 19 then
  integer = string.find(stored, '^[1-9]%d+$')
  stored_used = integer and string.sub(stored, 14)
elseif size > 20 and size < 28 then
  stored_used = string.match(stored, '^[1-9]%d%d%d%d%d%d%d%d%d%d%d%d:([1-9]%d+)$')
end
if stored_used then
  local stored_end = number(string.sub(stored, 1, 13))
  if now < stored_end * 1000 then
    open, used = true, number(stored_used)
    if stored_end <= ends then
      ends = stored_end
    else
      call('SET', keys[i], format(integer and '%d%06d' or '%d:%d', ends, used), 'PXAT', format('%d', ends))
    end
  end
end

if used < limit then remaining = limit - used end
if cost > remaining then
  fits = 0
  if cost > limit then retry = -1 else retry = ends * 1000 - now end
elseif charging and cost > 0 then
  used, remaining = used + cost, remaining - cost
  if used > 999999 then
    value = format('%d:%d', ends, used)
    if open then expires = 'KEEPTTL' else expires = format('%d', ends) end
  elseif open then
    value = format('%d', cost)
  else
    value, expires = format('%d%06d', ends, used), format('%d', ends)
  end
end
if used > 0 then reset = ends * 1000 - now end
