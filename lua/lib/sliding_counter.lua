-- sliding_counter: what the present window of the clock holds, and the one before it weighted by its overlap with the window
-- that ends now. A fragment of acquire.lua, which says what is given and what is to be set.
--
-- Parameters: p1 limit (permits), p2 length of the window in microseconds; then one more double: length of a tick, of which
--   the window is a multiple. limit * ticks stays below 2^53.
-- Key: number of the window of the last charge since the epoch, then the permits charged in it and in the one before it, in 4
--   digits each: 'W…CCCCPPPP'. One integer, which Redis keeps without a string and moves by INCRBY; longer than a double is
--   exact, so here it is only ever text. From ten thousand permits on 'W:C:P'.
-- Expiry: the end of the window after that of the last charge.
-- Twin: limiter/sliding_counter.

local limit, length, tick = p1, p2, decode('<d', arg, 26)
local window = floor(now / length)
local present, previous, packed = 0, 0, nil
local stored_window, stored_present, stored_previous
if type(stored) == 'string' and #stored < 40 then
  if #stored < 20 then
    stored_window, stored_present, stored_previous = string.match(stored, '^([1-9]%d+)(%d%d%d%d)(%d%d%d%d)$')
    packed = stored_window
  end
  if not packed then
    stored_window, stored_present, stored_previous = string.match(stored, '^([1-9]%d*):(%d+):(%d+)$')
  end
  stored_window = number(stored_window)
end
if stored_window and stored_window > window - 2 then
  stored_present, stored_previous = number(stored_present), number(stored_previous)
  if stored_window == window then
    present, previous = stored_present, stored_previous
    -- A limit that was lowered counts as exhausted, not as overdrawn.
    if previous > limit then previous, packed = limit, nil end
    if present > limit then present, packed = limit, nil end
  elseif stored_window < window then
    previous = stored_present
    if previous > limit then previous = limit end
  else
    -- Left by a clock that went back since.
    present = stored_present + stored_previous
    if present > limit then present = limit end
    stored_window, packed = window, nil
    call('SET', keys[i], format('%d:%d:0', window, present), 'PXAT', format('%d', (window + 2) * length / 1000))
  end
else
  stored_window = nil
end

local ticks = length / tick
local left = ticks - floor((now - window * length) / tick)
local room = (limit - present) * ticks - previous * left
if room > 0 then remaining = floor(room / ticks) end
if cost > remaining then
  fits = 0
  room = limit - present - cost
  if cost > limit then
    retry = -1
  elseif room >= 0 then
    retry = window * length + (ticks - floor(room * ticks / previous)) * tick - now
  else
    retry = (window + 1) * length + (ticks - floor((limit - cost) * ticks / present)) * tick - now
  end
elseif charging and cost > 0 then
  present, remaining = present + cost, remaining - cost
  if present > 9999 or previous > 9999 then
    value = format('%d:%d:%d', window, present, previous)
  elseif packed and stored_window == window then
    value = format('%d0000', cost)
  else
    value = format('%d%04d%04d', window, present, previous)
  end
  if stored_window ~= window then
    expires = format('%d', (window + 2) * length / 1000)
  elseif present > 9999 or previous > 9999 or not packed then
    expires = 'KEEPTTL'
  end
end
if present > 0 then
  reset = (window + 2) * length - now
elseif previous > 0 then
  reset = (window + 1) * length - now
end
