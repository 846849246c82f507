-- concurrency: at most `limit` permits held at once, by all holders. A fragment of acquire.lua, which says what is given and
-- what is to be set. A negative cost gives permits back; cost 0 renews what is held, and looks where nothing is.
--
-- Parameters: p1 limit (permits), p2 the holder who asks; then two more doubles: how many permits it knows to hold, and
--   after how many microseconds they are free again unless it renews them.
-- Key: for each holder of any permits 24 bytes, struct '<ddd': holder, permits, when they lapse in microseconds.
-- Expiry: when the last of them lapse.
-- When a permit is free nobody knows: retry is a second, reset 0.
-- Twin: limiter/concurrency, which knows one holder that never dies.

local limit, held, lapse = p1, decode('<dd', arg, 26)
local mine, others, alive, latest, ahead = 0, 0, '', now + lapse, false
local size = type(stored) == 'string' and #stored or 0
if size % 24 == 0 then
  -- Entries of others are copied in runs: one by one would be quadratic in the holders, of which a fleet has hundreds.
  local run = 1
  for at = 1, size, 24 do
    local by, permits, lapses = decode('<ddd', stored, at)
    local counts = lapses > now and lapses < 9007199254740992 and permits > 0 and permits < 9007199254740992 and permits % 1 == 0
    if counts and by ~= p2 and lapses <= latest then
      others = others + permits
    else
      if run < at then alive = alive .. sub(stored, run, at - 1) end
      run = at + 24
      if counts then
        -- A clock that went back since leaves entries that would live on for as long as it went back.
        if lapses > latest then lapses, ahead = latest, true end
        if by == p2 then
          mine = permits
        else
          others, alive = others + permits, alive .. encode('<ddd', by, permits, lapses)
        end
      end
    end
  end
  if run <= size then alive = alive .. sub(stored, run) end
end
if ahead then
  call('SET', keys[i], mine > 0 and alive .. encode('<ddd', p2, mine, latest) or alive, 'PXAT', format('%d', latest / 1000 + 1))
end
-- Nobody knows better than the holder what it holds: its entry may have lapsed, or Redis may have lost it.
if held > mine then mine = held end

if others + mine < limit then remaining = limit - others - mine end
if cost > remaining then
  fits = 0
  if cost > limit then retry = -1 else retry = 1000000 end
elseif charging and (cost ~= 0 or held > 0) then
  mine = mine + cost
  if mine < 0 then mine = 0 end
  remaining = 0
  if others + mine < limit then remaining = limit - others - mine end
  if mine > 0 then alive = alive .. encode('<ddd', p2, mine, latest) end
  value, expires = alive, 'DEL'
  if alive ~= '' then expires = format('%d', latest / 1000 + 1) end
end
