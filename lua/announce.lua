-- announce: says that a gateway lives, and answers how many do.
--
-- KEYS[1]  who has announced itself
-- ARGV[1]  struct '<dd': the gateway's number (1 to 2^53 - 1, drawn at random when it starts); for how many microseconds it counts
--          unless it announces itself again
-- ARGV[2]  microseconds since the epoch to decide by, for tests only; without it the server's own clock
--
-- Reply: one bulk string of little-endian int64: now_us, gateways that live (this one included), how many of them have a lower
--        number than this one.
--
-- Key: for each gateway 16 bytes, struct '<dd': number, when it lapses in microseconds. What no gateway wrote counts as nothing.
-- Expiry: when this gateway lapses, which is the last to do so.

local key, call, decode, encode, sub, format = KEYS[1], redis.call, struct.unpack, struct.pack, string.sub, string.format
local id, lapse = decode('<dd', ARGV[1])
local now = ARGV[2]
if now then
  now = tonumber(now)
else
  local t = call('TIME')
  now = t[1] * 1000000 + t[2]
end

-- pcall: a key of another type reads as an error table.
local stored = redis.pcall('GET', key)
local latest, alive, lower, others = now + lapse, 1, 0, ''
if type(stored) == 'string' and #stored % 16 == 0 and #stored <= 65536 then
  -- Copied in runs, not one by one: every gateway calls this every second.
  local run = 1
  for at = 1, #stored, 16 do
    local by, lapses = decode('<dd', stored, at)
    local counts = lapses > now and by ~= id and by > 0 and by < 9007199254740992
    if counts then
      alive = alive + 1
      if by < id then lower = lower + 1 end
    end
    if not counts or lapses > latest then
      if run < at then others = others .. sub(stored, run, at - 1) end
      run = at + 16
      -- A clock that went back since would let it live on for as long as it went back.
      if counts then others = others .. encode('<dd', by, latest) end
    end
  end
  if run <= #stored then others = others .. sub(stored, run) end
end
call('SET', key, others .. encode('<dd', id, latest), 'PXAT', format('%d', latest / 1000 + 1))
return encode('<i8i8i8', now, alive, lower)
