/** Whether a trigger's name says that something is wrong now: a second opinion by words, beside that of a model. */
import type { JobToolName } from '#lib/catalogue/tool.ts';
import { alone } from '#lib/core/trigger-text.ts';

/** Something does not run, does not answer or is not well. One line a language: English, German, Spanish, Portuguese, French, Italian, others. */
const DOWN = alone(
  'down|dead|died|gone|flatlined|nothing (?:listens|answers|runs|on \\d+)|[=!]= ?0|fell over|errored|off|not in running state|port (?:\\d+ )?closed|in error|error state|n?ko|not ok|nok|defunct|zombie|core dumped|segfault(?:ed|s)?|panic(?:ked|s)?|50[0234]|(?:exit |status )?code \\d+|(?:process(?:es)?|daemon|instance) (?:is |are )?(?:missing|gone|lost)|missing process(?:es)?|stopped|stops|fail(?:s|ed|ing|ure)?|crash(?:es|ed|ing)?|exit(?:s|ed)?(?:[ =:]+\\d+)?|kill(?:s|ed)|terminated|aborted|unhealthy|health (?:probe|check)|!= active|unavailable|unreachable|unresponsive|inactive|offline|frozen|hung|hang(?:s|ing)?|stuck|refus(?:es|ed|ing)|oom|out of memory',
  "not (?:running|responding|answering|listening|active|alive|up|started|available|reachable|found|there|working|healthy|live|serving)|(?:is|does|do|can|will)(?:n[’']?t| not|not) (?:run|answer|respond|listen|start|connect|work|serve|running|responding|up|there)\\p{L}*|cannot connect|unable to connect|no(?: \\p{L}+){0,2} (?:process(?:es)?|response|answer|reply|connection|instance|heartbeat)s?|no longer (?:running|responding|up|there)|timed? ?out|(?:crash|restart)[ -]?loop(?:ing|s)?|loops?|looping|(?:0|zero) (?:\\p{L}+ )?proc(?:s|ess(?:es)?)?|process(?:es)?(?: count)? (?:is|=) ?0",
  '(?:l[aä]uft|antwortet|reagiert|startet|h[oö]rt|geht) (?:\\p{L}+ )?nicht?|nicht (?:mehr )?(?:erreichbar|aktiv|gestartet|verf[uü]gbar|da|bereit|gefunden)|kein(?:e|en)? (?:\\p{L}+[- ]?)?(?:prozess|antwort|verbindung|dienst|instanz)\\p{L}*|gestoppt|defekt|gest[oö]rt|gecrasht|abgeschmiert|ausgestiegen|verabschiedet|kaput|ungesund|(?:prozess|dienst|port) (?:weg|zu)|n\\.? ?i\\. ?o\\.?|nicht (?:i\\. ?o\\.?|in ordnung|gesund|ok)|inaktiv|0 prozesse?|fehlerhaft|steht|tot|ausgefallen|ausfall|abgest[uü]rzt|absturz|beendet|fehlgeschlagen|prozess fehlt|h[aä]ngt|kaputt|gestorben',
  'ca[ií]d[oa]s?|cay[oó]|muri[oó]|petad[oa]|tirad[oa]|no (?:saludable|ok|activ[oa])|mala salud|fuera|mud[oa]|termin[oó]|en error|c[oó]digo (?:de salida )?\\d+|da error|rot[oa]|ca[ií]da|cerrad[oa]|parad[oa]s?|detenid[oa]s?|muert[oa]s?|no (?:responde|contesta|est[aá]|funciona|corre|arranca|levanta|hay|existe|escucha|disponible|se ejecuta)|fall(?:a|o|ó|ido|ando)|colgad[oa]s?|fuera de servicio|inaccesible|inactiv[oa]s?|sin (?:respuesta|procesos?|conexi[oó]n|servicio)|apagad[oa]s?',
  'caiu|derrubad[oa]|sem sa[uú]de|caíram|morreu|sumiu|saiu|doente|(?:n[aã]o|ñ|nao) (?:t[aá]|ativ[oa]|saud[aá]vel|ok|roda|responde)|fora|mud[oa]|parou|terminou|em erro|com erro|c[oó]digo (?:de sa[ií]da )?\\d+|quebrad[oa]|fechad[oa]|mort[oa]s?|n[aã]o (?:responde|est[aá]|roda|funciona|existe|h[aá]|sobe|inicia|iniciou|encontrad[oa]|dispon[ií]vel)|falh(?:a|ou|ando)|travad[oa]s?|reiniciando|travou|indispon[ií]vel|inativ[oa]s?|fora do ar|sem (?:resposta|processos?|conex[aã]o|servi[cç]o)|desligad[oa]s?',
  "arr[eê]t[eé]e?s?|à l[’']arr[eê]t|(?:en )?mauvaise sant[eé]|en (?:erreur|panne|d[eé]faut|rade|carafe)|par terre|(?:pas|plus) (?:lanc[eé]e?|d[eé]marr[eé]e?|ok|sain|actif|active|dispo(?:nible)?)|sorti[e]?(?: en)?|aucun(?:e)? (?:proc|processus)|mort|code(?: de sortie)? \\d+|termin[eé]e?|ferm[eé]e?|tomb[eé]e?s?|morte?s?|n(?:e |[’'])\\p{L}+(?: \\p{L}+)? (?:pas|plus)|échou[eé]e?|échec|plant[eé]e?s?|fig[eé]e?s?|indisponible|injoignable|inacti(?:f|ve)|hors service|hs|absente?s?|aucun(?:e)? (?:processus|réponse|connexion)|sans réponse",
  'ferm[oa]|inattiv[oa]|in errore|con errore|uscit[oa]|crashat[oa]|mort[oa]|n(?:o|n)n? (?:attiv[oa]|va|sano|ok|in esecuzione)|ausente|assente|guast[oa]|codice(?: di uscita)? \\d+|chius[oa]|cadut[oa]|giù|non (?:risponde|[eè] (?:attivo|in esecuzione|raggiungibile)|attivo|raggiungibile|funziona|parte)|arrestat[oa]|terminat[oa]|bloccat[oa]|fallit[oa]|spent[oa]',
  'niet (?:actief|bereikbaar)|gestopt|nie (?:działa|odpowiada)|zatrzyman[yae]|padł[ao]?|не (?:работает|отвечает|запущен\\p{L}*)|остановлен\\p{L}*|упал\\p{L}*|недоступ\\p{L}*',
);

/** A file system has too little left. */
const FULL = alone(
  'full|enospc|low|little|running out|runs? out|out of|critical(?:ly)?|almost|nearly|exhaust(?:s|ed|ing|ion)|fill(?:s|ed|ing)(?: up)?|exceed(?:s|ed|ing)?|above|below|less than|more than|only|(?:no|zero|0) (?:free )?(?:space|room|inodes?)|inodes? (?:all )?gone|too (?:high|little|much|few|small)|short(?:age)?|not enough|insufficient|left|remaining|usage|high|no space|ate|eaten|(?:down to|plus que|noch|s[oó]lo|s[oó]|soltanto|only|just|barely) \\d+(?:[.,]\\d+)? ?[kmgt]i?[bo]',
  '\\p{L}*voll(?:e[rns]?)?|platzt|randvoll|dicht|inodes alle|knapp|wenig(?:e[rn])?|kein(?:e[nr]?)?|fast|kaum|kritisch|kein platz|wenig platz|belegt|nur noch|mehr als|weniger als|l[aä]uft (?:voll|zu)|am limit',
  'llen[oa]s?|llen[aá]ndose|reventad[oa]|hasta arriba|agotad[oa]s|poc[oa]s?|baj[oa]|sin|agot(?:ado|a|ándose)|cr[ií]tic[oa]|insuficiente|casi|queda[n]?|sobran|falta|sin espacio|poco espacio',
  'chei[oa]s?|no talo|enchendo|entupid[oa]|zero inodes?|esgotando|lotad[oa]s?|pouc[oa]s?|baix[oa]|sem|esgotad[oa]|acab(?:ando|ou)|estourando|estourou|quase|resta[m]?|sobra[m]?|acima|abaixo',
  "plein[e]?s?|satur[eé]e?s?|faible|manque|plus (?:de |d[’'])\\p{L}+|presque|critique|reste|peu|[eé]puis[eé]e?s?|blind[eé]e?s?|bond[eé]e?s?|ras|rempli[e]?|bient[oô]t",
  '(?:stra)?pien[oa]|poc[oa]|esaurit[oaei]|finit[oa]|quasi|critico|vol|bijna|pełn[yae]|mało|переполнен\\p{L}*|мало|заполнен\\p{L}*',
);
/**
 * A share that is worth an alarm, used or free: a name that speaks of 61 % speaks of something else. Names with unexpanded macros
 * have theirs in place of the number.
 */
const ALARMING_SHARE =
  /[<>]=?\s*[\d{]|\}\s*%|(?<![\d.,])(?:100|[89]\d|7[5-9]|2[0-5]|1?\d)(?:[.,]\d+)?\s*(?:%|(?:pct|percent|prozent|por ?ci?ento|pour ?cent|per ?cento)\b)|(?:^|\s)(?:8[5-9]|9\d)$/iu;

/** A resource is short, besides the words for what is full. */
const BUSY = alone(
  'high|load|loaded|busy|slow(?:ly|er)?|long|latency|often|frequent(?:ly)?|deadlocks?|deadlocked|pressure|pending|waiting|saturat\\p{L}*|overload\\p{L}*|peak\\p{L}*|spik\\p{L}*|maxed|pegged|hog\\p{L}*|hot|lack|leak\\p{L}*|swapping|iowait|lag(?:s|ging)?|too many|utili[sz]ation',
  'hoch|hohe[rns]?|last|ausgelastet|auslastung|[uü]berlast\\p{L}*|langsam|am anschlag|zu viele',
  'alt[oa]s?|carga|saturad[oa]s?|lent[oa]s?|elevad[oa]s?|sobrecarg\\p{L}*|agotando|consumo|demasiad[oa]s?|muito|demais',
  'élev[eé]e?s?|haute?s?|charge|charg[eé]e?s?|lente?s?|surcharg\\p{L}*|trop|énorme|carico|lento|troppi|высок\\p{L}*|нагрузка|перегруж\\p{L}*',
);

/** A plan, a change, a forecast, a question, or what is over already: nothing is wrong now. */
const NOT_NOW = alone(
  'plan(?:s|ned|ning)?|scheduled?|upcoming|will|would|going to|soon|next|tomorrow|tonight|until|forecast(?:s|ed)?|(?:stopped|closed|shut ?down|switched off|disabled|paused) (?:by|for|under|during|until)|predict\\p{L}*|project(?:ed|ion)|estimated?|expected|voluntar(?:y|ily)|growth|trend(?:ing)?|thresholds?|limits? (?:was|were|of)|instead of|(?:was|were|has been|have been|got|gets|is|are|being) (?:\\p{L}+ )?(?:updated?|upgraded?|installed|raised|lowered|extended|enlarged|resized|increased|reduced|moved|migrated|replaced|renamed|swapped|switched off|tidied|cleaned|emptied|changed|added|removed|assigned|requested|approved|reserved|retired|decommissioned|rebooted|re-?started|re-?loaded|restored|recovered|fixed|resolved|closed by|ordered|cancell?ed|postponed|agreed)',
  'maintenance|reminder|review(?:ed)?|migration|decommission\\p{L}*|rollout|release|version|upgrade|update|deployment|owners?|owned|belongs|back (?:up|since|again|online|to)|is back|already|on purpose|by design|intended|intentional(?:ly)?|acknowledged|handled|proposal|request(?:ed)?|ticket|chg-?\\d*|report|summary|weekly|monthly|quota|due|expires?|expir(?:y|ing)|certificate|licen[cs]es?|price|cost|so far|took|finished|completed|successful(?:ly)?',
  'geplant\\p{L}*|vorgesehen|beantragt|angefragt|genehmigt|wird|werden|demn[aä]chst|morgen|n[aä]chste\\p{L}*|prognose|voraussichtlich|schwell\\p{L}*|wartung\\p{L}*|umzug|umgezogen|verschoben|erweitert|vergr[oö][sß]+ert|angehoben|aktualisier\\p{L}*|ge[aä]ndert|ausgetauscht|ersetzt|geh[oö]rt|zust[aä]ndig\\p{L}*|bereits|schon(?! wieder)|erledigt|wieder (?:da|online|verf[uü]gbar|gestartet)|absichtlich|gewollt|erwartet|(?:gestoppt|beendet|angehalten|deaktiviert) (?:von|durch|wegen|f[uü]r)|abschaltung|abgeschaltet|erinnerung|bericht|l[aä]uft bis',
  'planificad[oa]s?|programad[oa]s?|previst[oa]s?|ser[aá]n?|va a|mañana|pr[oó]xim[oa]s?|pron[oó]stico|previsi[oó]n|umbral|mantenimiento|migra(?:ci[oó]n|d[oa])|movid[oa]|ampliad[oa]|aumentad[oa]|actualiza(?:d[oa]|ci[oó]n)|cambiad[oa]|reemplazad[oa]|pertenece|solicitad[oa]|aprobad[oa]|de vuelta|ya(?! no)|resuelt[oa]|a prop[oó]sito|esperad[oa]|voluntari\\p{L}*|intencionad\\p{L}*|(?:detenid|parad|apagad)[oa] por|recordatorio|informe|versi[oó]n|nuev[oa]s? (?:versi[oó]n|disco)',
  'planejad[oa]s?|agendad[oa]s?|vai|amanh[aã]|previs[aã]o|limiar|manuten[cç][aã]o|migra[cç][aã]o|migrad[oa]|passa para|ampliad[oa]|aumentad[oa]|atualiza(?:d[oa]|[cç][aã]o)|trocad[oa]|substitu[ií]d[oa]|pertence|pedid[oa]|aprovad[oa]|de volta|j[aá](?! n[aã]o)|resolvid[oa]|de prop[oó]sito|intencional\\p{L}*|combinad[oa]|lembrete|relat[oó]rio|vers[aã]o',
  'planifi[eé]e?s?|pr[eé]vue?s?|sera|seront|va [eê]tre|demain|prochaine?s?|pr[eé]vision|seuil|maintenance|migration|migr[eé]e?|d[eé]plac[eé]e?|agrandie?|[eé]tendue?|augment[eé]e?|mise? [aà] jour|chang[eé]e?|remplac[eé]e?|appartient|demand[eé]e?|approuv[eé]e?|de retour|d[eé]j[aà]|r[eé]solue?|expr[eè]s|attendue?s?|volontair\\p{L}*|arr[eê]t[eé]e? par|rappel|rapport',
  'pianificat[oa]|previst[oa]|sar[aà]|manutenzione|aggiornat[oa]|aggiornamento|sostituit[oa]|gi[aà]|volontari\\p{L}*|attes[oa]|fermat[oa] da|запланирован\\p{L}*|обновлен\\p{L}*|будет|обслуживани\\p{L}*',
);
/** What was settled among people, and what is only tried. */
const SETTLED = alone(
  'agreed|arranged|coordinated|confirmed|wanted|desired|permitted|accepted|tolerated|informed|window|freeze|drill|exercise|rehearsal|training|test only|(?:for|during|under) (?:a )?test(?:s|ing)?|pilot|trial|experiment|false (?:alarm|positive)|known (?:issue|problem|bug)|nothing to do|no action|hands off|fyi|for (?:your )?information|info(?:rmation)? only|just info|standby|stand-by|spare|failover|switch ?over|passive|dr site|retire(?:s|d|ment)?|phased? out|end of life|eol|obsolete|abandoned|archived?|unused|not (?:in use|used|needed|required|productive|in production)|no longer (?:needed|used|required)|waiv(?:ed|er)|exception',
  "because|due to|caused by|by itself|on request|by request|keep(?:s|ing)? (?:it |them )?(?:stopped|down|off)|(?:fine|ok|okay|good|well) (?:again|now)|pass?iv[oa]|passi(?:f|ve)|(?:exit(?:ed)?|code|rc)(?: code| status)?[ =:(]*0(?! \\p{L}*proc)|cleanly|gracefully|as expected|drained|draining|found running|cleaned(?: |-)?up|freed|emptied|jumped|increased|copy(?:ing)?|copied|transfer\\p{L}*|(?:o[fn]|off|disabled) since|baseline|harden\\p{L}*|wait(?:s|ing)? for|still (?:accepts?|running|runs|up|alive|active|there|in use)|should(?:n[’']t)?|normal(?:ly)?|looking (?:at|into)|working on|investigat\\p{L}*|is on it|post-?mortem|retrospective|runbook|documentation|docs?|inventory|grew|grown|attached|quota|tmpfs|lun|writable|permissions?|vulnerab\\p{L}*|cve-[\\d-]+|renamed|moved|superseded|deprecated|sufficient|staging|\\d+ days?",
  'weil|wegen|regul[aä]r|ordnungsgem[aä][sß]+|abgek[uü]ndigt|auf wunsch|l[aä]uft wieder|wieder(?: \\p{L}+)? (?:da|erreichbar|verf[uü]gbar)|kopie(?:rt|ren)?|l[aä]uft noch|noch (?:immer|aktiv)|sollten?|normal|schaut|k[uü]mmert|bearbeitet|arbeitet|dran|gestrig\\p{L}*|nachbetrachtung|doku\\p{L}*|betriebshandbuch|bestandsaufnahme|kontingent|erh[oö]ht|ausreichend|umbenannt|hei[sß]+t|k[uü]nftig|\\d+ tagen?|abgestimmt|abgesprochen|vereinbart|bekannt(?:es|er)?|akzeptiert|toleriert|gew[uü]nscht|[uü]bung|probe|testweise|testbetrieb|testlauf|fehlalarm|nur (?:zur )?info(?:rmation)?|zur information|kein handlungsbedarf|nichts (?:zu )?tun|standby|ersatz|notfall|stillgelegt|ausgemustert|au[sß]er betrieb genommen|abgebaut|abgel[oö]st|nicht (?:mehr )?(?:ben[oö]tigt|gebraucht|produktiv|in betrieb)|veraltet|ungenutzt|freigegeben|freigabe',
  'correctamente|normalmente|a porque|debido a|petici[oó]n|volvi[oó]|descontinuad[oa]|copia de|copiando|todav[ií]a (?:acepta|corre|activ)\\p{L}*|deber[ií]a[n]?|es normal|mirando|revisando|trabajando|est[aá] en ello|post ?mortem|documentaci[oó]n|inventario|suficiente|cuota|creci[oó]|renombrad[oa]|movid[oa]|proyecci[oó]n|\\d+ d[ií]as|acordad[oa]|convenid[oa]|coordinad[oa]|confirmad[oa]|aceptad[oa]|conocid[oa]|simulacro|prueba[s]?|ensayo|falsa alarma|solo informativ[oa]|informativ[oa]|sin acci[oó]n|no hacer nada|no tocar|reserva|respaldo pasivo|retirad[oa]|dad[oa] de baja|obsolet[oa]|en desuso|ya no se (?:usa|necesita)|ventana',
  'corretamente|normalmente|pel[oa]s? \\p{L}{4,}|porque|devido a|a pedido|voltou|c[oó]pia d[eo]|copiando|ainda (?:aceita|roda|ativ)\\p{L}*|deveria[m]?|é normal|olhando|mexendo|trabalhando|documenta[cç][aã]o|invent[aá]rio|suficiente|cota|cresceu|renomead[oa]|movid[oa]|proje[cç][aã]o|\\d+ dias|acordad[oa]|combinad[oa]|coordenad[oa]|confirmad[oa]|aceit[oa]|conhecid[oa]|simulad[oa]|simula[cç][aã]o|teste[s]?|ensaio|alarme falso|apenas informativ[oa]|informativ[oa]|nada a fazer|n[aã]o mexer|aposentad[oa]|desativad[oa]|descontinuad[oa]|obsolet[oa]|em desuso|n[aã]o (?:é|e) mais (?:usad[oa]|necess[aá]ri[oa])|janela',
  "normalement|correctement|[aà] la demande|d[eé]commissionn[eé]e?s?|d[’']ici|[aà] cause|parce que|car|fin de vie|normale?|revenue?s?|r[eé]tablie?s?|copie (?:de|du|des)|encore (?:actif|active|en route)|devraient|devrait|est normal|regarde|travaille|s[’']en occupe|fiche|documentation|inventaire|suffisant[e]?|quota|renomm[eé]e?|d[eé]m[eé]nag[eé]e?|projection|\\d+ jours|convenue?s?|accord[eé]e?s?|confirm[eé]e?s?|accept[eé]e?s?|connue?s?|exercice|essai[s]?|fausse alerte|pour info(?:rmation)?|à titre d[’']information|rien à faire|ne pas toucher|secours|d[eé]sactiv[eé]e?s?|retir[eé]e?s?|mise? hors|obsol[eè]te|abandonn[eé]e?s?|inutilis[eé]e?s?|fen[eê]tre",
  'regolarmente|correttamente|perch[eé]|a causa|su richiesta|tornat[oa]|ripristinat[oa]|copia di|ancora attiv[oa]|dovrebbe(?:ro)?|è normale|guardando|lavorando|documentazione|inventario|sufficiente|quota|rinominat[oa]|spostat[oa]|\\d+ giorni|concordat[oa]|confermat[oa]|accettat[oa]|not[oa]|esercitazione|prova|prove|falso allarme|solo informativ[oa]|nulla da fare|non toccare|riserva|dismess[oa]|disattivat[oa]|ritirat[oa]|obsolet[oa]|inutilizzat[oa]|finestra',
);
/** That nothing is known is no news of what is wrong. A template adds it in parentheses to what is. */
const NO_DATA = alone(
  'no (?:new )?data',
  'keine (?:neuen )?daten',
  'sin datos',
  'sem dados',
  'pas de données',
);
const QUESTION = /[?¿]/u;
/** A day, a month, an hour or a ticket: who writes one into a name speaks of what was agreed, not of what is broken. */
const APPOINTMENT = alone(
  '(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|may|june|july|august|september|october|november|december|today|yesterday|week|month|quarter|weekend|night|noon|midnight',
  '(?:mon|diens|donners|frei|sams|sonn)tags?|mittwochs?|sonnabends?|januar|jänner|februar|m[aä]rz|mai|juni|juli|oktober|dezember|heute|gestern|woche\\p{L}*|monats?\\p{L}*|quartal\\p{L}*|nacht|uhr|\\p{L}*abend|mittag',
  'lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bado|domingo|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|hoy|ayer|semana|mes|trimestre|noche',
  'segunda|ter[cç]a|quarta|quinta|sexta|janeiro|fevereiro|mar[cç]o|maio|junho|julho|setembro|outubro|novembro|dezembro|hoje|ontem|m[eê]s|noite',
  "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|janvier|f[eé]vrier|mars|avril|juin|juillet|ao[uû]t|septembre|octobre|novembre|d[eé]cembre|aujourd[’']hui|hier|semaine|mois|trimestre|nuit|midi|minuit",
  'luned[iì]|marted[iì]|mercoled[iì]|gioved[iì]|venerd[iì]|sabato|domenica|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|novembre|dicembre|oggi|ieri|settimana|mese|notte',
  '\\d{1,2}:\\d{2}|\\d{1,2}h\\d{2}|(?:[aà]s|a las|à|ab|até|bis|um|at|till?|alle) \\d{1,2} ?h|\\d{1,2} ?[ap]m|\\d{1,2}[./]\\d{1,2}[./](?:\\d{2,4})?|20\\d{2}(?:-\\d{2}){1,2}|(?:chg|inc|req|rfc|itsm|jira|prb|tkt|ops)[-# ]?\\d+|#\\d{2,}|n\\.?[ºo]\\s?\\d+',
);
/**
 * What is wrong is said in a few words; of 423 custom names, 3 of 256 with a right action had more than
 * nine, and 29 of 167 that meant something else had.
 */
const MOST_WORDS = 9;

/**
 * Whether the name says that what the tool would mend is wrong, and wrong now. What is wrong must stand in its first
 * `clause`, for what follows may be anybody's; that it is planned, over or meant may stand anywhere in the `whole`. Of a
 * template's trigger only the second is asked: what it is about, its tags say. A name in a language that is not listed
 * here says nothing, and goes to a human.
 */
export function namesTrouble(
  { whole, clause }: { readonly whole: string; readonly clause: string },
  { tool, tagged }: { readonly tool: JobToolName; readonly tagged: boolean },
): boolean {
  const all = whole.normalize('NFKC');
  const first = clause.normalize('NFKC');
  if (QUESTION.test(all) || NOT_NOW.test(all) || NO_DATA.test(first)) return false;
  if (tagged) return true;
  if (SETTLED.test(all)) return false;
  if (tool !== 'analyze_processes' && (APPOINTMENT.test(all) || wordsOf(all) > MOST_WORDS)) return false;
  const full = FULL.test(first) || ALARMING_SHARE.test(all);
  if (tool === 'analyze_processes') return full || BUSY.test(first);
  const wrong = tool === 'cleanup_disk' ? full : DOWN.test(first);
  return wrong && !explains(all, tool);
}

/**
 * Whether something follows what is wrong that is not wrong itself, and longer than a name or a number: who adds a clause
 * to "stopped" says why that is so ("stopped, the vendor is at it"), and then a restart is seldom the answer.
 */
function explains(text: string, tool: JobToolName): boolean {
  const names = (part: string) =>
    tool === 'cleanup_disk' ? FULL.test(part) || ALARMING_SHARE.test(part) : DOWN.test(part);
  const parts = text.split(/[,;()]|:\s|\s[-–—/|]+\s/u).map((part) => part.trim());
  const begin = parts.findIndex(names);
  return parts.slice(begin + 1).some((part) => wordsOf(part) > 2 && !names(part));
}

function wordsOf(text: string): number {
  return text.split(/[\s,;:()]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

/** Whether a name says that something is too much or too slow, and nothing that has failed. */
export function namesStrain(text: string): boolean {
  const plain = text.normalize('NFKC');
  return (BUSY.test(plain) || FULL.test(plain)) && !DOWN.test(plain) && !/\berrors?\b/i.test(plain);
}
