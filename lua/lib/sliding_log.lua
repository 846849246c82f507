-- sliding_log: at most `limit` permits in any window: remembers the instant of each. A fragment of acquire.lua, which says
-- what is given and what is to be set.
--
-- Parameters: p1 limit (permits), p2 length of the window in microseconds.
-- Key: a double '<d' for each permit: the instant in microseconds, ascending. Those that had left the window at the newest
--   permit count no more, whatever the clock says later; as long as they are not the greater part they still stand there,
--   and a charge is appended instead of writing all anew.
-- Expiry: a window after the end of the eighth of a window in which the newest permit lies: those of one eighth share it.
-- Twin: limiter/sliding_log.

local limit, window = p1, p2
local size, newest = type(stored) == 'string' and #stored / 8 or 0, nil
if size > 0 and size % 1 == 0 then
  newest = decode('<d', stored, size * 8 - 7)
  if not (newest > now - window and newest < 9007199254740992) or newest % 1 ~= 0 then newest = nil end
end
local eighth = floor(window / 8)
local eighth_begins = now - now % eighth
local gone, ahead = 0, false
if newest then
  -- The first one after the horizon.
  ahead = newest > now
  local horizon, high = (ahead and newest or now) - window, size - 1
  if decode('<d', stored, 1) > horizon then high = 0 end
  while gone < high do
    local middle = floor((gone + high) / 2)
    if decode('<d', stored, middle * 8 + 1) > horizon then high = middle else gone = middle + 1 end
  end
  if ahead then
    -- What a clock that went back since has left in the future counts as of now.
    local first, last = gone, size - 1
    while first < last do
      local middle = floor((first + last) / 2)
      if decode('<d', stored, middle * 8 + 1) > now then last = middle else first = middle + 1 end
    end
    stored = string.sub(stored, gone * 8 + 1, first * 8) .. string.rep(encode('<d', now), size - first)
    size, gone, newest = size - gone, 0, now
    call('SET', keys[i], stored, 'PXAT', format('%d', (eighth_begins + eighth + window) / 1000 + 1))
  end
else
  size = 0
end

local used = size - gone
if used < limit then remaining = limit - used end
if cost > remaining then
  fits = 0
  if cost > limit then
    retry = -1
  else
    -- This many must leave: the last of them, O(1).
    retry = decode('<d', stored, (gone + used + cost - limit) * 8 - 7) + window - now
  end
  reset = used > 0 and newest + window - now or 0
elseif charging and cost > 0 then
  used, remaining, reset = used + cost, remaining - cost, window
  value = string.rep(encode('<d', now), cost)
  if newest and newest >= eighth_begins and gone * 2 <= size then
    expires = 'APPEND'
  else
    if newest then value = string.sub(stored, gone * 8 + 1) .. value end
    expires = format('%d', (eighth_begins + eighth + window) / 1000 + 1)
  end
elseif used > 0 then
  reset = newest + window - now
end
