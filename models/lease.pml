/*
 * The lease of a shard: engines, one database, a server in the world that keeps keys, and time.
 *
 * Every step of an engine may be its last for a while (SIGSTOP) or for good (SIGKILL); every message may be as
 * late as it likes, also when its sender is long gone; whoever wakes finds the world changed. How many such
 * faults one behaviour holds is bounded (FAULTS; a clean release counts as one), so that all can be tried.
 *
 * Time is counted in ticks of the database's clock. An engine that is awake does within a tick what is urgent,
 * and a message that is not late arrives within its tick: other delays exist, but as faults only.
 *
 * The protocol (docs/decisions/0016-lease-model.md has the reasons):
 *   take      only when the lease is over by the clock of the database; the token grows by one
 *   renew, write, release    only if the token in the statement is that of the shard, in the same statement
 *   stop      an engine begins nothing when STOP ticks have passed, by its own clock, since it SENT the
 *             statement that last gave or renewed its lease
 *   begin     an effect begins only when its intent is known to be committed
 *   recover   an intent without a result is in doubt: it is repeated as doubtful, with the key that it had
 *   raise     an owner that does not know whether its write happened, because the session broke, raises its
 *             own token before it looks, so that the broken session writes nothing any more
 *
 * A mutation takes one rule away, and spin must find a behaviour in which that matters:
 *   NO_TOKEN_CHECK  NO_ROW_LOCK  NO_LOCAL_STOP  STOP_AT_LEASE_END  AGE_FROM_ANSWER  RELEASE_WITHOUT_TOKEN
 *   CLOCK_OF_THE_WORKER  ACT_BEFORE_INTENT  KEY_OF_THE_OWNER  FRESH_AFTER_TAKEOVER  LOOK_WITHOUT_RAISING
 *   NOBODY_TAKES_OVER  (this one breaks the liveness)
 */

#ifndef ENGINES
#define ENGINES 2
#endif
#ifndef FAULTS
#define FAULTS 2
#endif

#define LEASE 5 /* ticks */
#define RENEW 1 /* the age at which it is renewed */
#define LAG 1   /* the clock of an engine may fall behind that of the database by this much in one lease */
#define SKEW 3  /* how far the clocks of two machines may be apart; nobody asks them but a mutation */

#if defined(STOP_AT_LEASE_END)
#define STOP LEASE
#elif defined(NO_LOCAL_STOP)
#define STOP 100
#else
#define STOP 3 /* 60 % of the lease */
#endif

#define OLD 6 /* ages above this are all the same */
#define NOBODY 9

#ifdef CLOCK_OF_THE_WORKER
#define OVER (left <= SKEW)
#else
#define OVER (left == 0)
#endif
#ifdef NOBODY_TAKES_OVER
#define TAKEABLE (OVER && (owner == NOBODY || owner == e))
#else
#define TAKEABLE OVER
#endif
#if defined(NO_TOKEN_CHECK)
#define FENCED true
#elif defined(NO_ROW_LOCK)
#define FENCED (line[i].phase == CHECKED)
#else
#define FENCED (line[i].token == token)
#endif
#ifdef RELEASE_WITHOUT_TOKEN
#define RELEASED true
#else
#define RELEASED (line[i].token == token)
#endif
#ifdef LOOK_WITHOUT_RAISING
#define RISE 0
#else
#define RISE 1
#endif
#define HELD (line[i].token == token)
#ifdef AGE_FROM_ANSWER
#define AGE_ON_ANSWER 0
#else
#define AGE_ON_ANSWER me.asked
#endif
#ifdef ACT_BEFORE_INTENT
#define MAY_BEGIN (me.intended || line[WRITE(e)].phase == SENT)
#else
#define MAY_BEGIN me.intended
#endif
#ifdef FRESH_AFTER_TAKEOVER
#define DOUBT false
#else
#define DOUBT (intended && !recorded)
#endif
#ifdef KEY_OF_THE_OWNER
#define KEY (1 << me.token)
#else
#define KEY 1
#endif

mtype = { take, renew, release, raise, intent, result };
mtype = { IDLE, SENT, CHECKED, ANSWERED };

/* A connection to the database: at most one statement, or its answer. */
typedef Line {
  mtype phase;
  mtype kind;
  byte token;
  bool late;
  bool mine;    /* the engine that sent it still waits for the answer */
  bool granted; /* the answer */
  bool given_up; /* its session broke, and its engine has looked at the journal since */
}

/* What an engine knows. All of it is lost in a crash. */
typedef Engine {
  bool gone; bool alive; bool awake;
  bool owns;     /* it believes that it does */
  byte token;
  byte age;      /* ticks by its clock since it sent what gave or renewed its lease */
  byte asked;    /* ticks by its clock since it sent what has no answer yet */
  byte lag;
  bool intended; /* the intent is known to be committed */
  bool doubtful; /* it found the intent without a result */
  bool decided;  /* it has looked at its clock and will begin: nothing but a pause comes in between */
  bool resulted; /* the effect has answered */
  bool finished; /* the result is known to be committed */
  bool leaving;
  bool unsure;   /* a session broke with a write in it */
}

/* A call of an engine to the server in the world. It outlives its engine. */
typedef Call { bool flies; bool mine; byte key }

Engine engine[ENGINES];
Call call[ENGINES];
Line line[ENGINES + ENGINES + ENGINES];
#define LEASES(e) e
#define WRITE(e) (ENGINES + e)
#define BROKEN(e) (ENGINES + ENGINES + e) /* a session that broke: its last statement may still be executed */
#define me engine[e]
#define acts (me.alive && me.awake)
#define may (acts && !me.decided)

/* The database: the row of the shard, and the journal of one run with one effect. */
byte token = 0;
byte owner = NOBODY;
byte left = 0;
bool intended = false;
bool recorded = false;

/* The server: under which keys the effect has happened, and how often. */
byte keys = 0;
byte happened = 0;

/* Faults that are left. */
byte faults = FAULTS;

/* Seen by nobody but the onlooker of all: somebody has decided to begin the effect. */
bool perhaps_begun = false;

inline forget() {
  me.owns = false; me.token = 0; me.age = 0; me.asked = 0; me.lag = 0;
  me.intended = false; me.doubtful = false; me.decided = false; me.resulted = false;
  me.finished = false; me.leaving = false; me.unsure = false;
  call[e].mine = false;
  unlisten(LEASES(e)); unlisten(WRITE(e))
}

inline unlisten(number) {
  line[number].mine = false;
  if
  :: line[number].phase == ANSWERED -> line[number].phase = IDLE; line[number].granted = false
  :: else
  fi
}

inline send(number, what) {
  line[number].phase = SENT; line[number].kind = what; line[number].token = me.token;
  line[number].late = false; line[number].mine = true
}

proctype Life(byte e) {
  do
  /* the lease */
  :: d_step { may && !me.owns && TAKEABLE && line[LEASES(e)].phase == IDLE ->
       send(LEASES(e), take); me.asked = 0 }
  :: d_step { may && me.owns && !me.leaving && me.age >= RENEW && me.age < STOP &&
       line[LEASES(e)].phase == IDLE && !me.unsure ->
       send(LEASES(e), renew); me.asked = 0 }
  :: d_step { may && me.owns && me.unsure && me.age < STOP && line[LEASES(e)].phase == IDLE ->
       send(LEASES(e), raise); me.asked = 0 }
  :: d_step { may && line[LEASES(e)].phase == ANSWERED ->
       if
       :: !line[LEASES(e)].granted -> forget()
       :: line[LEASES(e)].granted && me.owns -> me.age = AGE_ON_ANSWER; me.lag = 0
       :: line[LEASES(e)].granted && !me.owns -> me.token = line[LEASES(e)].token;
            me.owns = true; me.age = AGE_ON_ANSWER; me.lag = 0
       fi;
       if
       :: line[LEASES(e)].kind == raise && line[LEASES(e)].granted && me.owns ->
            /* Only now does it look whether the write happened. */
            me.token = line[LEASES(e)].token; me.unsure = false;
            me.intended = intended; me.finished = recorded;
            if :: line[BROKEN(e)].phase != IDLE -> line[BROKEN(e)].given_up = true :: else fi
       :: else
       fi;
       line[LEASES(e)].phase = IDLE; line[LEASES(e)].granted = false; line[LEASES(e)].mine = false;
       me.asked = 0 }
  :: d_step { may && me.owns && me.age >= STOP -> forget() }

  /* the effect */
  :: d_step { may && me.owns && me.age < STOP && !me.leaving && !me.intended && !me.unsure &&
       line[WRITE(e)].phase == IDLE -> send(WRITE(e), intent) }
  :: d_step { may && me.owns && me.age < STOP && !me.leaving && MAY_BEGIN &&
       !me.finished && !me.resulted && !call[e].flies ->
       /* One owner acts at a time. (It may have raised its token and not heard of it yet.) */
       assert(owner == e && (me.token == token || line[LEASES(e)].kind == raise));
       assert(!perhaps_begun || me.doubtful);      /* who repeats knows that it does */
       perhaps_begun = true; me.decided = true }
  :: d_step { acts && me.decided ->
       assert(intended);                           /* an effect has an intent */
       me.decided = false;
       call[e].flies = true; call[e].mine = true; call[e].key = KEY }
  :: d_step { may && me.owns && me.age < STOP && me.resulted && !me.finished && !me.unsure &&
       line[WRITE(e)].phase == IDLE -> send(WRITE(e), result) }
  :: d_step { may && line[WRITE(e)].phase == ANSWERED ->
       if
       :: !line[WRITE(e)].granted -> forget()
       :: line[WRITE(e)].granted && me.resulted -> me.finished = true
       :: line[WRITE(e)].granted && !me.resulted -> me.intended = true
       fi;
       line[WRITE(e)].phase = IDLE; line[WRITE(e)].granted = false; line[WRITE(e)].mine = false }

  /* a clean end: begin nothing, let what is under way end, and give the lease back */
  :: d_step { may && me.owns && me.age < STOP && !me.leaving && faults > 0 ->
       faults--; me.leaving = true }
  :: d_step { may && me.owns && me.age < STOP && me.leaving && !call[e].flies &&
       (!me.resulted || me.finished) && !me.unsure &&
       line[LEASES(e)].phase == IDLE && line[WRITE(e)].phase == IDLE ->
       send(LEASES(e), release); forget() }
  od
}

inline written(i) {
  assert(line[i].token == token); /* no write of an old owner is accepted */
  assert(!line[i].given_up);      /* nor one that its owner believes not to have happened */
  line[i].granted = true
}

/* The database does one statement at a time, each of them whole. Connections know nothing of each other. */
inline served(i, e) {
  line[i].granted = false;
  if
  :: line[i].kind == take && TAKEABLE ->
       token++; owner = e; left = LEASE;
       line[i].token = token; line[i].granted = true;
       if
       :: line[i].mine ->
            /* It reads the journal next. Nobody else can write to it any more, so it may as well be now. */
            me.intended = intended; me.doubtful = DOUBT; me.finished = recorded
       :: else
       fi
  :: line[i].kind == renew && HELD -> left = LEASE; line[i].granted = true
  :: line[i].kind == raise && HELD ->
       token = token + RISE; left = LEASE; line[i].token = token; line[i].granted = true
  :: line[i].kind == intent && FENCED -> written(i); intended = true
  :: line[i].kind == result && FENCED -> written(i); recorded = true
  :: line[i].kind == release && RELEASED -> token++; left = 0; owner = NOBODY
  :: else
  fi;
  line[i].late = false; line[i].given_up = false;
  if
  :: line[i].mine -> line[i].phase = ANSWERED
  :: else -> line[i].phase = IDLE; line[i].granted = false
  fi
}

proctype Wire(byte i; byte e) {
  do
#ifdef NO_ROW_LOCK
  :: d_step { line[i].phase == SENT && i >= ENGINES ->
       if
       :: line[i].token == token -> line[i].phase = CHECKED
       :: else -> served(i, e)
       fi }
  :: d_step { line[i].phase == SENT && i < ENGINES -> served(i, e) }
  :: d_step { line[i].phase == CHECKED -> served(i, e) }
#else
  /* The row of the shard is locked from the check of its token to the commit: one step. */
  :: d_step { line[i].phase == SENT -> served(i, e) }
#endif
  :: d_step { line[i].phase == SENT && !line[i].mine -> /* it is lost with its session */
       line[i].phase = IDLE; line[i].late = false; line[i].given_up = false }
  od
}

proctype World(byte e) {
  do
  :: d_step { call[e].flies ->
       if
       :: (keys & call[e].key) == 0 ->
            keys = keys | call[e].key; happened++;
            assert(happened <= 1)                  /* a keyed effect is done once */
       :: else
       fi;
       call[e].flies = false; call[e].key = 0;
       if
       :: call[e].mine -> me.resulted = true; call[e].mine = false
       :: else
       fi }
  :: d_step { call[e].flies && !call[e].mine -> call[e].flies = false; call[e].key = 0 } /* lost */
  od
}

#define on_its_way(i) ((line[i].phase == SENT || line[i].phase == CHECKED) && !line[i].late)
#define urgent(n) (engine[n].alive && engine[n].awake && ( \
    engine[n].decided \
    || line[n].phase == ANSWERED || line[ENGINES + n].phase == ANSWERED \
    || (engine[n].owns && engine[n].age >= STOP) \
    || (engine[n].owns && !engine[n].leaving && engine[n].age >= RENEW && line[n].phase == IDLE) \
    || (engine[n].owns && engine[n].unsure && line[n].phase == IDLE) \
    || (!engine[n].owns && left == 0 && MINE_TO_TAKE(n) && line[n].phase == IDLE)))
#ifdef NOBODY_TAKES_OVER
#define MINE_TO_TAKE(n) (owner == NOBODY || owner == n)
#else
#define MINE_TO_TAKE(n) true
#endif
#if ENGINES == 2
#define QUIET (!on_its_way(0) && !on_its_way(1) && !on_its_way(2) && !on_its_way(3) && \
    !urgent(0) && !urgent(1))
#define OWNED (left > 0 && ((owner == 0 && engine[0].alive) || (owner == 1 && engine[1].alive)))
#define ANOTHER_LIVES(n) (!engine[1 - n].gone)
#else
#define QUIET (!on_its_way(0) && !on_its_way(1) && !on_its_way(2) && !on_its_way(3) && !on_its_way(4) && \
    !on_its_way(5) && !urgent(0) && !urgent(1) && !urgent(2))
#define OWNED (left > 0 && ((owner == 0 && engine[0].alive) || (owner == 1 && engine[1].alive) \
    || (owner == 2 && engine[2].alive)))
#define ANOTHER_LIVES(n) (!engine[(n + 1) % 3].gone || !engine[(n + 2) % 3].gone)
#endif

inline aged(e) {
  if
  :: me.owns || line[LEASES(e)].phase != IDLE ->
       if
       :: me.lag < LAG -> me.lag++ /* its clock is slow */
       :: true ->
            if :: me.owns && me.age < OLD -> me.age++ :: else fi;
            if :: line[LEASES(e)].mine && me.asked < OLD -> me.asked++ :: else fi
       fi
  :: else
  fi
}

proctype Clock() {
  do
  :: atomic { QUIET ->
       if :: left > 0 -> left-- :: else fi;
       aged(0); aged(1)
#if ENGINES == 3
       ; aged(2)
#endif
     }
  od
}

proctype Faults(byte e) {
  do
  :: d_step { faults > 0 && acts -> faults--; me.awake = false }
  :: d_step { me.alive && !me.awake -> me.awake = true }
  :: d_step { faults > 0 && me.alive -> faults--; me.alive = false; me.awake = true; forget() }
  :: d_step { faults > 0 && me.alive && ANOTHER_LIVES(e) ->
       faults--; me.alive = false; me.awake = true; me.gone = true; forget() }
  :: d_step { !me.alive && !me.gone -> me.alive = true }
  :: d_step { faults > 0 && on_its_way(LEASES(e)) -> faults--; line[LEASES(e)].late = true }
  :: d_step { faults > 0 && me.alive && line[WRITE(e)].phase == SENT && line[WRITE(e)].mine &&
       line[BROKEN(e)].phase == IDLE -> /* the session breaks: the statement happens later, or never */
       faults--; me.unsure = true;
       line[BROKEN(e)].phase = SENT; line[BROKEN(e)].kind = line[WRITE(e)].kind;
       line[BROKEN(e)].token = line[WRITE(e)].token; line[BROKEN(e)].late = true;
       line[WRITE(e)].phase = IDLE; line[WRITE(e)].late = false; line[WRITE(e)].mine = false }
  :: d_step { faults > 0 && me.alive && line[WRITE(e)].phase == ANSWERED -> /* its answer is lost */
       faults--; me.unsure = true;
       line[WRITE(e)].phase = IDLE; line[WRITE(e)].granted = false; line[WRITE(e)].mine = false }
  :: d_step { faults > 0 && on_its_way(WRITE(e)) -> faults--; line[WRITE(e)].late = true }
  od
}

init {
  atomic {
    byte e = 0;
    do
    :: e < ENGINES ->
         me.alive = true; me.awake = true;
         line[LEASES(e)].phase = IDLE; line[WRITE(e)].phase = IDLE; line[BROKEN(e)].phase = IDLE;
         run Life(e); run Wire(LEASES(e), e); run Wire(WRITE(e), e); run Wire(BROKEN(e), e); run World(e); run Faults(e);
         e++
    :: else -> break
    od;
    e = 0;
    run Clock()
  }
}

#ifdef LIVENESS
/* No shard stays unowned for ever while some engine lives. */
ltl owned { []<> OWNED }
#endif
