-- lease_bucket: permits of a token bucket in advance. A fragment of lease.lua, which says what is given and what is answered.
-- The key: see lib/token_bucket.lua and lib/lease_state.lua.

local arrival, rest, us, numerator, out = now, 0, number(stored), 0, ''
if stored and not us then
  us, numerator, out = string.match(stored, '^(%d+):(%d+)(.*)$')
  us, numerator = number(us), number(numerator)
end
local first, first_out, second, second_out = 0, 0, 0, 0
if us and us >= 0 and us < 9007199254740992 then
  -- Of a plain bucket nothing is out.
  if out == '' then out = ':0:0:0:0' end
  --@include lib/lease_state.lua
end

local returned = 0
for at = 58, 82, 24 do
  local group, spent, back = decode('<ddd', arg, at)
  -- At most what is known to be out.
  if first_out > 0 and group == first then
    local gone = min(spent + back, first_out)
    first_out, returned, changed = first_out - gone, returned + min(back, gone), true
  elseif second_out > 0 and group == second then
    local gone = min(spent + back, second_out)
    second_out, returned, changed = second_out - gone, returned + min(back, gone), true
  end
end

local product, part
if returned > 0 then
  returned = min(returned, capacity)
  product = returned * num
  part = product % den
  arrival, rest = arrival - returned * interval - (product - part) / den, rest - part
  if rest < 0 then arrival, rest = arrival - 1, rest + den end
  -- More than the capacity may be out, after the limit was lowered.
  local still = min(first_out + second_out, capacity)
  product = still * num
  part = product % den
  local soonest = now + still * interval + (product - part) / den
  if arrival < soonest or arrival == soonest and rest < part then arrival, rest = soonest, part end
end
if first_out == 0 then first, first_out, second, second_out = second, second_out, 0, 0 end
if first_out == 0 then first = 0 end

product = capacity * num
local latest_rest = product % den
local latest = now + capacity * interval + (product - latest_rest) / den

-- How many intervals fit into what is left: a guess in floating point, then made exact in whole numbers.
local room, room_rest = latest - arrival, latest_rest - rest
if room_rest < 0 then room, room_rest = room - 1, room_rest + den end
left = floor((room + room_rest / den) / (interval + num / den)) + 1
repeat
  product = left * num
  local used_rest = product % den
  local used = left * interval + (product - used_rest) / den
  local too_many = used > room or used == room and used_rest > room_rest
  if too_many then left = left - 1 end
until not too_many

if want > 0 and least > capacity then
  retry = -1
elseif want > 0 and least > left then
  product = rest + least * num
  part = product % den
  retry = arrival + least * interval + (product - part) / den - latest
  if part > latest_rest then retry = retry + 1 end
elseif want > 0 then
  granted = min(want, math.max(least, floor((left + 1) / 2)))
  left, changed = left - granted, true
  product = rest + granted * num
  part = product % den
  arrival, rest = arrival + granted * interval + (product - part) / den, part
  -- Into the group that lapses an epoch after the present one's end; or, where the holders' epochs differ, into one near it.
  lapses = (floor(now / epoch) + 2) * epoch
  if first_out == 0 then
    first, first_out = lapses, granted
  elseif lapses <= first then
    lapses, first_out = first, first_out + granted
  else
    if second_out == 0 then second = lapses else lapses = second end
    second_out = second_out + granted
  end
end
reset = arrival - now
if rest > 0 then reset = reset + 1 end

if changed then
  local state = format(rest > 0 and '%d:%d' or '%d', arrival, rest)
  if first_out > 0 then state = format('%d:%d:%d:%d:%d:%d', arrival, rest, first, first_out, second, second_out) end
  call('SET', keys[1], state, 'PXAT', format('%d', (arrival - arrival % 2000000) / 1000 + 4000))
end
