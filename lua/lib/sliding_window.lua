-- sliding_window: at most `limit` permits in the present segment of the clock and the `segments - 1` before it. A fragment of
-- acquire.lua, which says what is given and what is to be set.
--
-- Parameters: p1 limit (permits, at most 10^12), p2 length of a segment in microseconds, whole milliseconds; then one more
--   double: segments (2 to 60).
-- Key: number of the newest segment since the epoch, then the permits used in it and in those before it, newest first, as far
--   back as there are any: 'S:u:u…'.
-- Expiry: when the newest segment leaves the window.
-- Twin: limiter/sliding_window.

local limit, segment, segments = p1, p2, decode('<d', arg, 26)
local present = floor(now / segment)
local counts, used, youngest, oldest, newest, ahead = {}, 0, segments, 0, nil, false
if type(stored) == 'string' and #stored < 1024 then newest = string.match(stored, '^([1-9]%d*):[%d:]*%d$') end
if newest then
  local age = present - number(newest)
  for permits in string.gmatch(string.sub(stored, #newest + 1), ':(%d+)') do
    permits = number(permits)
    if permits > 0 and permits < 9007199254740992 and age < segments then
      -- Segments of the future, which a clock set back has left behind, count as the present one.
      local at = age
      if age < 0 then at, ahead = 0, true end
      counts[at + 1], used = (counts[at + 1] or 0) + permits, used + permits
      if at < youngest then youngest = at end
      if at > oldest then oldest = at end
    end
    age = age + 1
  end
  newest = number(newest)
end
for age = 1, oldest + 1 do counts[age] = counts[age] or 0 end
local leaves = (present - youngest + segments) * segment
if ahead then
  newest = present
  call('SET', keys[i], format('%d' .. string.rep(':%d', oldest + 1), present, unpack(counts)), 'PXAT', format('%d', leaves / 1000))
end

if used < limit then remaining = limit - used end
if cost > remaining then
  fits = 0
  if cost > limit then
    retry = -1
  else
    local excess, age = used + cost - limit, segments
    while excess > 0 do excess, age = excess - (counts[age] or 0), age - 1 end
    retry = (present - age + segments) * segment - now
  end
elseif charging and cost > 0 then
  used, remaining = used + cost, remaining - cost
  counts[1] = counts[1] + cost
  leaves = (present + segments) * segment
  value = format('%d' .. string.rep(':%d', oldest + 1), present, unpack(counts))
  -- Whoever has written this segment has let the key live as long.
  if newest == present and youngest == 0 then expires = 'KEEPTTL' else expires = format('%d', leaves / 1000) end
end
if used > 0 then reset = leaves - now end
