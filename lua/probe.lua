-- probe: uses every right that the other scripts may need, on a key of the gateway's own. A user who lacks one of them passes the
-- probe by a charge and fails callers all the same: once that has been seen, this is what has to be answered.
--
-- KEYS[1]  a key that nobody counts in
-- ARGV[1]  nothing
--
-- Reply: the bulk string 'OK', or the error of the first command that is refused.
--
-- Key: gone afterwards. What was there is overwritten, whatever its type.

local key, call = KEYS[1], redis.call
call('TIME')
call('SET', key, 1, 'PX', 1000)
call('GET', key)
call('MGET', key)
call('INCRBY', key, 1)
call('APPEND', key, '1')
call('DEL', key)
return 'OK'
