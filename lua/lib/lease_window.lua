-- lease_window: permits of a fixed window in advance; they are its own until it ends, so nothing is kept about who has them. A
-- fragment of lease.lua, which says what is given and what is answered. The key: see lib/fixed_window.lua.

local limit, ends, used, open = capacity, (now - now % 1000 + interval) / 1000, 0, false
local size, stored_used = stored and #stored or 0
if size == 19 then
  stored_used = string.match(stored, '^[1-9]%d%d%d%d%d%d%d%d%d%d%d%d(%d+)$')
elseif size > 20 and size < 28 then
  stored_used = string.match(stored, '^[1-9]%d%d%d%d%d%d%d%d%d%d%d%d:([1-9]%d+)$')
end
if stored_used then
  local stored_end = number(string.sub(stored, 1, 13))
  if now < stored_end * 1000 then
    open, used = true, number(stored_used)
    -- Too far ahead: the clock was set back.
    if stored_end <= ends then ends = stored_end else changed = true end
  end
end
lapses = ends * 1000

if open and not changed then
  for at = 58, 82, 24 do
    local group, _, back = decode('<ddd', arg, at)
    if group == lapses and back > 0 then used, changed = used - min(back, used), true end
  end
end

if used < limit then left = limit - used end
if want > 0 and least > limit then
  retry = -1
elseif want > 0 and least > left then
  retry = lapses - now
elseif want > 0 then
  granted = min(want, math.max(least, floor((left + 1) / 2)))
  used, left, changed = used + granted, left - granted, true
end
if used > 0 then reset = lapses - now end
if changed then call('SET', keys[1], format(used > 999999 and '%d:%d' or '%d%06d', ends, used), 'PXAT', format('%d', ends)) end
if granted == 0 then lapses = 0 end
