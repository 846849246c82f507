-- refund: gives one charge back, less what has refilled since, so that charging and giving back never admits more than
-- charging alone. For every algorithm but concurrency, whose permits acquire.lua takes back as a negative cost.
--
-- KEYS[1]  where the limit keeps its counter
-- ARGV[1]  struct '<Bddd…': the algorithm as in acquire.lua, but 10 and 11 for a token bucket of kind 0 and 1 that shares its
--          key and whose id is one more double at the end; cost that was charged; when, in microseconds since the epoch by
--          the clock of the reply to that charge; reset_us of that reply; then the parameters of the algorithm
-- ARGV[2]  microseconds since the epoch to decide by, for tests only; without it the server's own clock
--
-- Reply: 1, or 0 if there is nothing to give back: all of it has refilled, its window is over, the clock went back
--        meanwhile, or the key holds nothing that a limiter wrote.
--
-- Invariants: a key lives no longer than before, and goes when nothing is left in it. Every number stays below 2^53; none
-- becomes text except through %d.
--
-- The twin in C++: refund() of limiter/algorithm, which gives the same answer to the bit.

local key, arg, call, decode, encode = KEYS[1], ARGV[1], redis.call, struct.unpack, struct.pack
local format, number, match, sub, floor, ceil = string.format, tonumber, string.match, string.sub, math.floor, math.ceil

local now = ARGV[2]
if now then
  now = number(now)
else
  local t = call('TIME')
  now = t[1] * 1000000 + t[2]
end
local kind, cost, at, reset, p1, p2 = decode('<Bddddd', arg)
kind = kind % 64

local stored = redis.pcall('GET', key)
if type(stored) ~= 'string' or cost < 1 or now < at then return 0 end

-- Set below: what the key is to hold; '' for nothing.
local value
if kind < 2 or kind > 9 then
  -- What follows the fraction is a lease's, which stays; so do the other buckets of a shared key, before this one and after.
  local us, rest, lease, before, after, id
  local shared = kind > 9
  if shared then
    kind = kind - 10
    id = decode('<d', arg, #arg - 7)
    local from, size = 1, #stored
    while size - from > 10 and not us do
      local found, time, following = decode('<I4d', stored, from)
      local part = 0
      if time < 0 and size - following > 6 then part, following = decode('<d', stored, following) end
      if found == id then
        us, rest, lease = time < 0 and -time or time, part, ''
        before, after = sub(stored, 1, from - 1), sub(stored, following)
        if us % 1 ~= 0 or not (rest >= 0 and rest < 9007199254740992) or rest % 1 ~= 0 then return 0 end
      end
      from = following
    end
  else
    us, rest, lease = match(stored, '^(%d+):?(%d*)(.*)$')
    us, rest = number(us), number(rest) or 0
  end
  if not us or us >= 9007199254740992 or cost > p1 then return 0 end
  local num, den = 0, 1
  if kind == 1 then num, den = decode('<dd', arg, 42) end
  if rest >= den then us, rest = us + 1, 0 end
  local product = cost * num
  local owed_rest = product % den
  local owed = cost * p2 + (product - owed_rest) / den - (now - at)
  if owed < 0 or owed == 0 and owed_rest == 0 or us < now or us == now and rest == 0 then return 0 end
  us, rest = us - owed, rest - owed_rest
  if rest < 0 then us, rest = us - 1, rest + den end
  local untouched = us < now or us == now and rest == 0
  if shared then
    value = untouched and '' or rest > 0 and encode('<I4dd', id, -us, rest) or encode('<I4d', id, us)
    value = before .. value .. after
  elseif lease ~= '' then
    value = format('%d:%d', us, rest) .. lease
  elseif untouched then
    value = ''
  else
    value = format(rest > 0 and '%d:%d' or '%d', us, rest)
  end
elseif kind < 5 or kind == 8 then
  local ends, used = match(stored, '^([1-9]%d%d%d%d%d%d%d%d%d%d%d%d)(%d%d%d%d%d%d)$')
  if not ends then ends, used = match(stored, '^([1-9]%d%d%d%d%d%d%d%d%d%d%d%d):([1-9]%d+)$') end
  if not ends or #used > 13 then return 0 end
  ends, used = number(ends) * 1000, number(used)
  if now >= ends or used == 0 then return 0 end
  if kind < 5 then
    -- Windows of one counter never end at the same instant, so the end tells whether it is still the same one.
    if ends ~= at + reset then return 0 end
    used = used - cost
  else
    -- Until it was full its refills kept their times, so those since the charge can be counted.
    local capacity, refill, period, full = p1, p2, decode('<d', arg, 42), at + reset
    if now >= full or cost > capacity then return 0 end
    local refilled = ceil((full - at) / period) - ceil((full - now) / period)
    if ceil(cost / refill) <= refilled then return 0 end
    local refills = ceil((ends - now) / period)
    local next_refill, missing = ends - (refills - 1) * period, capacity
    if refills <= ceil(capacity / refill) then
      missing = math.min(math.min(used, refill) + (refills - 1) * refill, capacity)
    end
    missing = missing - (cost - refilled * refill)
    refills = ceil(missing / refill)
    ends, used = next_refill + (refills - 1) * period, missing - (refills - 1) * refill
    if missing <= 0 then used = 0 end
  end
  if used <= 0 then
    value = ''
  else
    value = format(used > 999999 and '%d:%d' or '%d%06d', ends / 1000, used)
  end
elseif kind == 5 then
  local newest, list = match(stored, '^([1-9]%d*)(:[%d:]*%d)$')
  local segments = decode('<d', arg, 42)
  local segment = floor(at / p2)
  if not newest or segment + segments <= floor(now / p2) then return 0 end
  local age, counts, oldest = newest - segment + 1, {}, 0
  for permits in string.gmatch(list, ':(%d+)') do counts[#counts + 1] = number(permits) end
  if (counts[age] or 0) < 1 then return 0 end
  counts[age] = math.max(counts[age] - cost, 0)
  for k = 1, #counts do
    if counts[k] > 0 then oldest = k end
  end
  value = oldest == 0 and '' or format('%d' .. string.rep(':%d', oldest), number(newest), unpack(counts))
elseif kind == 6 then
  local window, present, previous
  if #stored < 20 then window, present, previous = match(stored, '^([1-9]%d+)(%d%d%d%d)(%d%d%d%d)$') end
  if not window then window, present, previous = match(stored, '^([1-9]%d*):(%d+):(%d+)$') end
  if not window then return 0 end
  window, present, previous = number(window), number(present), number(previous)
  local charged = floor(at / p2)
  if now >= (window + 2) * p2 or floor(now / p2) > charged + 1 then return 0 end
  if charged == window and present > 0 then
    present = math.max(present - cost, 0)
  elseif charged + 1 == window and previous > 0 then
    previous = math.max(previous - cost, 0)
  else
    return 0
  end
  if present == 0 then window, present, previous = window - 1, previous, 0 end
  if present == 0 then
    value = ''
  elseif present > 9999 or previous > 9999 then
    value = format('%d:%d:%d', window, present, previous)
  else
    value = format('%d%04d%04d', window, present, previous)
  end
elseif kind == 7 then
  local size = #stored / 8
  if size % 1 ~= 0 or size == 0 or at <= now - p2 then return 0 end
  -- From which stamp on they are later than this: beyond the last if none is.
  local function first_after(instant)
    local low, high = 0, size
    while low < high do
      local middle = floor((low + high) / 2)
      if decode('<d', stored, middle * 8 + 1) > instant then high = middle else low = middle + 1 end
    end
    return low
  end
  local counted = first_after(decode('<d', stored, size * 8 - 7) - p2)
  local first, last = math.max(first_after(at - 1), counted), first_after(at)
  if first >= last then return 0 end
  last = math.min(last, first + cost)
  value = sub(stored, counted * 8 + 1, first * 8) .. sub(stored, last * 8 + 1)
end

if not value then return 0 end
if value == '' then call('DEL', key) else call('SET', key, value, 'KEEPTTL') end
return 1
