-- acquire: decides all limits of one request in one step, and charges every one of them or none.
--
-- KEYS[i]      where limit i keeps its counter; no key twice
-- ARGV[i]      limit i, packed as struct '<Bddd' and, for kind 1, two more doubles ('<Bddddd'):
--                kind    0 token bucket with a whole emission interval, 1 token bucket with a fractional one,
--                        2 fixed window; 128 is added for a limit in shadow
--                cost    permits asked for; 0 only looks
--                then the parameters of the algorithm: see lua/lib/
-- ARGV[n + 1]  microseconds since the epoch to decide by, for tests only; without it the server's own clock
--
-- Reply: one bulk string of little-endian int64: now_us, allowed (0 or 1), then for each limit, in order,
--        allowed (0 or 1), remaining (permits), reset_us, retry_us (-1: this cost can never pass).
--
-- Invariants:
--   A limit in shadow neither refuses the request nor has to allow it; it is charged only if it allows.
--   A refused request writes nothing, except once to bring back into range a counter that a clock set back or a lowered
--   limit has left too far ahead.
--   All reads and all decisions come before the first write, and no write can fail halfway: what a key holds has been
--   checked before INCRBY is chosen, everything else is SET.
--   Whatever is in a key that no limiter wrote counts as an untouched counter.
--   Every number stays below 2^53; none becomes text except through %d.
--
-- The twin in C++: limiter/evaluate and limiter/algorithm, which give the same answer to the bit.

local keys, args, call, decode, encode = KEYS, ARGV, redis.call, struct.unpack, struct.pack
local match, format, floor, number = string.match, string.format, math.floor, tonumber

local n = #keys
local now = args[n + 1]
if now then
  now = number(now)
else
  local t = call('TIME')
  now = t[1] * 1000000 + t[2]
end

-- pcall: a key of another type reads as an error table, which no limiter wrote.
local stored_all, values, expiries, deltas, passed
if n > 1 then
  stored_all, values, expiries, deltas, passed = call('MGET', unpack(keys)), {}, {}, {}, {}
end

local refused, second_look, answers
local value, expires, delta
repeat
  second_look, refused, answers = refused, false, ''
  for i = 1, n do
    local arg, stored = args[i]
    if n > 1 then
      stored = stored_all[i]
    else
      stored = redis.pcall('GET', keys[1])
      if stored and stored.err then stored = false end
    end
    local kind, cost, p1, p2 = decode('<Bddd', arg)
    local shadow = kind >= 128
    if shadow then kind = kind - 128 end
    -- Another limit refuses: what passed is told its state without the charge, which is what a cost of 0 sees.
    if second_look and passed[i] then cost = 0 end

    -- Set below: may it pass; the decision; and either value and expires (to SET), or delta (to INCRBY), or neither.
    local fits, remaining, reset, retry = true, 0, 0, 0
    value, expires, delta = nil, nil, nil

    if kind < 2 then
      --@include lib/token_bucket.lua
    else
      --@include lib/fixed_window.lua
    end

    if not fits and not shadow then refused = true end
    if n > 1 then
      values[i], expiries[i], deltas[i] = value, expires, delta
      if not second_look then passed[i] = fits end
    end
    answers = answers .. encode('<i8i8i8i8', fits and 1 or 0, remaining, reset, retry)
  end
until n == 1 or second_look or not refused

for i = 1, n do
  if n > 1 then value, expires, delta = values[i], expiries[i], deltas[i] end
  if value then
    call('SET', keys[i], value, 'PXAT', expires)
  elseif delta then
    call('INCRBY', keys[i], delta)
  end
end
return encode('<i8i8', now, refused and 0 or 1) .. answers
