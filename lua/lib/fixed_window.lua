-- fixed_window: at most `limit` permits within a window; then anew. A fragment of acquire.lua, which says what is given and
-- what is to be set. Windows differ by kind in where they end:
--   2  length p2 after the whole millisecond in which a caller's first request falls
--   3  at multiples of p2 since the epoch
--   4  where a day, week or month does. p2 and three more doubles, ascending: where four of them begin, of which the
--      second had begun by the gateway's clock, and the third not yet
--
-- Parameters: p1 limit (permits, at most 10^12), p2 microseconds, whole milliseconds.
-- Key: end of the window in 13 digits of milliseconds, then permits used in 6: 'EEEEEEEEEEEEEUUUUUU'. One integer, which
--   Redis keeps without a string and moves by INCRBY; but longer than a double is exact, so here it is only ever text.
--   From a million permits on 'EEEEEEEEEEEEE:U…', 7 to 13 digits. What is stored tells the form, never the limit.
-- Expiry: the end of the window.
-- Twins: limiter/fixed_window, limiter/clock_window.

local limit, ends = p1
if kind == 2 then
  ends = (now - now % 1000 + p2) / 1000
elseif kind == 3 then
  ends = (now - now % p2 + p2) / 1000
else
  local start, finish, after = decode('<ddd', arg, 26)
  ends = (now < start and start or now < finish and finish or after) / 1000
end
local used, open, integer = 0, false, false
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
