-- fixed_window: at most `limit` permits from a caller's first request until the window's end; then anew. A fragment of
-- acquire.lua, which says what is given and what is to be set.
--
-- Parameters: p1 limit (permits, at most 999999), p2 length of the window in microseconds.
-- Key: end of the window in 13 digits of milliseconds, then permits used in 6: 'EEEEEEEEEEEEEUUUUUU'. One integer, which
--   Redis keeps without a string; but longer than a double is exact, so it is only ever handled as text.
-- Expiry: the end of the window.
-- Twin: limiter/fixed_window.

local limit = p1
local ends, used, open = floor((now + p2 + 999) / 1000), 0, false
if stored and #stored == 19 then
  local stored_end, stored_used = number(string.sub(stored, 1, 13)), number(string.sub(stored, 14))
  if stored_end and stored_used and now < stored_end * 1000 then
    open, used = true, stored_used
    if stored_end <= ends then
      ends = stored_end
    else
      call('SET', keys[i], format('%013d%06d', ends, used), 'PXAT', format('%d', ends))
    end
  end
end

if used < limit then remaining = limit - used end
if cost > remaining then
  fits = 0
  if cost > limit then retry = -1 else retry = ends * 1000 - now end
elseif charging and cost > 0 then
  used, remaining = used + cost, remaining - cost
  value = format('%013d%06d', ends, used)
  if not open then expires = format('%d', ends) end
end
if used > 0 then reset = ends * 1000 - now end
