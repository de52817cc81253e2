/** What people call it when something is down, full or short. One row a language: English, German, Spanish, Portuguese, French, Italian, others; then a second round of them. */
import { said } from '#lib/core/plain-letters.ts';

/** Something does not run, does not answer or is not well. One line a language: English, German, Spanish, Portuguese, French, Italian, others. */
export const DOWN = said(
  'down|dead|died|gone|flatlined|nothing (?:listens|answers|runs|on \\d+)|[=!]= ?0|fell over|errored|off|not in running state|port (?:\\d+ )?closed|in error|error state|n?ko|not ok|nok|defunct|zombie|core dumped|segfault(?:ed|s)?|panic(?:ked|s)?|50[0234]|(?:exit |status )?code \\d+|(?:process(?:es)?|daemon|instance) (?:is |are )?(?:missing|gone|lost)|missing process(?:es)?|stopped|stops|fail(?:s|ed|ing|ure)?|crash(?:es|ed|ing)?|exit(?:s|ed)?(?:[ =:]+\\d+)?|kill(?:s|ed)|terminated|aborted|unhealthy|health (?:probe|check)|!= active|unavailable|unreachable|unresponsive|inactive|offline|frozen|hung|hang(?:s|ing)?|stuck|refus(?:es|ed|ing)|oom|out of memory',
  "not (?:running|responding|answering|listening|active|alive|up|started|available|reachable|found|there|working|healthy|live|serving)|(?:is|does|do|can|will)(?:n[’']?t| not|not) (?:run|answer|respond|listen|start|connect|work|serve|running|responding|up|there)\\p{L}*|cannot connect|unable to connect|no(?: \\p{L}+){0,2} (?:process(?:es)?|response|answer|reply|connection|instance|heartbeat)s?|no longer (?:running|responding|up|there)|timed? ?out|(?:crash|restart)[ -]?loop(?:ing|s)?|loops?|looping|(?:0|zero) (?:\\p{L}+ )?proc(?:s|ess(?:es)?)?|process(?:es)?(?: count)? (?:is|=) ?0",
  '(?:lauft|antwortet|reagiert|startet|hort|geht) (?:\\p{L}+ )?nicht?|nicht (?:mehr )?(?:erreichbar|aktiv|gestartet|verfugbar|da|bereit|gefunden)|kein(?:e|en)? (?:\\p{L}+[- ]?)?(?:prozess|antwort|verbindung|dienst|instanz)\\p{L}*|gestoppt|(?:ist|sind) aus|defekt|gestort|gecrasht|abgeschmiert|ausgestiegen|verabschiedet|kaput|ungesund|(?:prozess|dienst|port) (?:weg|zu)|n\\.? ?i\\. ?o\\.?|nicht (?:i\\. ?o\\.?|in ordnung|gesund|ok)|inaktiv|0 prozesse?|fehlerhaft|steht|tot|ausgefallen|ausfall|abgesturzt|absturz|beendet|fehlgeschlagen|prozess fehlt|hangt|kaputt|gestorben',
  'caid[oa]s?|cayo|murio|petad[oa]|tirad[oa]|no (?:saludable|ok|activ[oa])|ningun proceso|mala salud|fuera|mud[oa]|termino|en error|codigo (?:de salida )?\\d+|da error|rot[oa]|caida|cerrad[oa]|parad[oa]s?|detenid[oa]s?|muert[oa]s?|no (?:responde|contesta|esta|funciona|corre|arranca|levanta|hay|existe|escucha|disponible|se ejecuta)|fall(?:a|o|ó|ido|ando)|colgad[oa]s?|fuera de servicio|inaccesible|inactiv[oa]s?|sin (?:respuesta|procesos?|conexion|servicio)|apagad[oa]s?',
  'caiu|derrubad[oa]|sem saude|caíram|morreu|sumiu|saiu|doente|(?:nao|ñ|nao) (?:ta|ativ[oa]|saudavel|ok|roda|responde)|fora|mud[oa]|parou|terminou|em erro|com erro|codigo (?:de saida )?\\d+|quebrad[oa]|fechad[oa]|mort[oa]s?|nao (?:responde|esta|roda|funciona|existe|ha|sobe|inicia|iniciou|encontrad[oa]|disponivel)|falh(?:a|o|ou|ando)|travad[oa]s?|reiniciando|travou|indisponivel|inativ[oa]s?|fora do ar|sem (?:resposta|processos?|conexao|servico)|desligad[oa]s?',
  "arretee?s?|à l[’']arret|(?:en )?mauvaise sante|en (?:erreur|panne|defaut|rade|carafe)|par terre|(?:pas|plus) (?:lancee?|demarree?|ok|sain|actif|active|dispo(?:nible)?)|sorti[e]?(?: en)?|aucun(?:e)? (?:proc|processus)|mort|code(?: de sortie)? \\d+|terminee?|fermee?|tombee?s?|morte?s?|n(?:e |[’'])\\p{L}+(?: \\p{L}+)? (?:pas|plus)|échouee?|échec|plantee?s?|figee?s?|indisponible|injoignable|inacti(?:f|ve)|hors service|hs|absente?s?|aucun(?:e)? (?:processus|réponse|connexion)|sans réponse",
  'ferm[oa]|inattiv[oa]|in errore|con errore|uscit[oa]|crashat[oa]|mort[oa]|n(?:o|n)n? (?:attiv[oa]|va|sano|ok|in esecuzione)|ausente|assente|guast[oa]|codice(?: di uscita)? \\d+|chius[oa]|cadut[oa]|giù|non (?:risponde|e (?:attivo|in esecuzione|raggiungibile)|attivo|raggiungibile|funziona|parte)|arrestat[oa]|terminat[oa]|bloccat[oa]|fallit[oa]|spent[oa]',
  'fatal|unexpected(?:ly)?|nobody (?:is )?(?:listening|listens|answers)|gave up|halted|went away|(?:zero|0|no) instances?|conked out|inoperative|non-?operational|disappeared|vanished|lost|knocked out|broken|croaked|bit the dust|times out|no longer \\p{L}+ing|collapsed|out of order|quit|is toast|blew up|unhealty|keeps? crashing|absent|kaputt',
  'unerwartet|ohne (?:prozess|antwort|verbindung)|l(?:a|ae)uft (?:[\\p{L}\\d]+ ){0,3}nicht|leuft nicht|fehlt|lauscht niemand|streikt|nicht (?:vorhanden|ansprechbar|lauffähig)|kein \\p{L}+-?prozess|eingefroren|verweigert|tuts? (?:es )?nicht|schweigt|angehalten|au(?:ss|ß)er betrieb|abgebrochen|verschwunden|lahmgelegt|lahm|verstummt|liegt (?:am boden|flach|brach|danieder)|geist aufgegeben|im eimer|funktioniert (?:\\p{L}+ )?nicht|zusammengebrochen|verstorben|aufgehäng(?:t|en)|aufgehangen|störung|nimmt nichts an|fehlerzustand|gekillt|abgeschossen|schlägt fehl|neustartschleife|abgewürgt|crasht|verreckt|umgefallen',
  'sin estado saludable|inesperad[oa]|inesperadamente|sin (?:iniciar|arrancar)|falta (?:el |o |il )?(?:proces[so]o?|servicio|servico)|rechaza\\p{L}*|nadie (?:escucha|contesta)|inalcanzable|dejó de \\p{L}+|desaparecid[oa]|desapareció|se colgó|ha fallado|0 procesos|congelad[oa]|bloquead[oa]|crasheó|crashead[oa]|enmudeció|no (?:se encuentra|iniciad[oa]|atiende)|inoperativ[oa]|inoperante|abortó|abortad[oa]|se apagó|averiad[oa]|petó|la palmó|agota el tiempo|atascad[oa]|ya no (?:responde|contesta|atiende|funciona|corre|escucha)|colapsad[oa]|interrumpid[oa]|se detuvo|bucle|revienta|reventó|con error(?:es)?|al garete',
  'reprovad[oa]|não (?:atende|iniciad[oa]|escuta|inicializa|ouve)|recusa\\p{L}*|ninguém escut\\p{L}*|inacessível|deixou de \\p{L}+|inexistente|nenhum processo|0 processos|paralisad[oa]|crashou|abortou|desapareceu|emudeceu|pifou|defeito|deu pau|bateu as botas|pendurad[oa]|colapso|queda d[oe]|interrompid[oa]|pro saco|capotou|quebrando|congelou|congelad[oa]',
  "inopinément|muet(?:te)?|non démarrée?|refuse\\p{L}*|personne n[’']\\p{L}+|a cessé|disparue?|bloquée?|manquante?|0 processus|gelée?|crashée?|crashe|hors ligne|silencieu(?:x|se)|stoppée?|interrompue?|volatilisée?|s[’']est éteinte?|défaillante?|rendu l[’']âme|dans les choux|coincée?|cassée?|effondrée?|panne|lâchée?|inopérante?|aux fraises|décédée?|avortée?|en boucle",
  'inaspettatamente|non (?:replica|avviat[oa]|gira|ascolta|operativ[oa]|disponibile|elabora)|mancante|rifiuta\\p{L}*|nessuno in ascolto|nessun processo|irraggiungibile|ha smesso|sparit[oa]|scompars[oa]|fuori servizio|0 processi|paralizzat[oa]|piantat[oa]|senza risposta|mut[oa]|stoppat[oa]|abortit[oa]|saltat[oa]|tirato le cuoia|schiattat[oa]|impallat[oa]|rott[oa]|collassat[oa]|interrott[oa]|si è fermat[oa]|defunt[oa]|farsi benedire|si schianta|congelat[oa]|decedut[oa]|cattiva salute|ucciso|non è in esecuzione',
  'niet (?:actief|bereikbaar)|gestopt|nie (?:działa|odpowiada)|zatrzyman[yae]|padł[ao]?|не (?:работает|отвечает|запущен\\p{L}*)|остановлен\\p{L}*|упал\\p{L}*|недоступ\\p{L}*',
);

/** A file system has too little left. */
export const FULL = said(
  'full|enospc|low|little|running out|runs? out|out of|critical(?:ly)?|almost|nearly|exhaust(?:s|ed|ing|ion)|fill(?:s|ed|ing)(?: up)?|exceed(?:s|ed|ing)?|above|below|less than|more than|only|(?:no|zero|0) (?:free )?(?:space|room|inodes?)|inodes? (?:all )?gone|too (?:high|little|much|few|small)|short(?:age)?|not enough|insufficient|left|remaining|usage|high|no space|ate (?:up|the|all|most)|eaten|(?:down to|plus que|noch|solo|so|soltanto|only|just|barely) \\d+(?:[.,]\\d+)? ?[kmgt]i?[bo]',
  '\\p{L}*voll(?:e[rns]?|geschrieben|gelaufen|gemüllt)?|platzt|randvoll|dicht|inodes alle|knapp|wenig(?:e[rn])?|kein(?:e[nr]?)?|fast|kaum|kritisch|kein platz|wenig platz|belegt|nur noch|mehr als|weniger als|lauft (?:voll|zu)|am limit',
  'llen[oa]s?|llenandose|reventad[oa]|hasta arriba|agotad[oa]s|poc[oa]s?|baj[oa]|sin|agot(?:ado|a|ándose)|critic[oa]|insuficiente|casi|queda[n]?|sobran|falta|sin espacio|poco espacio',
  'chei[oa]s?|no talo|enchendo|entupid[oa]|zero inodes?|esgotando|lotad[oa]s?|pouc[oa]s?|baix[oa]|sem|esgotad[oa]|acab(?:ando|ou)|estourando|estourou|quase|resta[m]?|sobra[m]?|acima|abaixo',
  "plein[e]?s?|saturee?s?|faible|manque|plus (?:de |d[’'])\\p{L}+|presque|critique|reste|peu|epuisee?s?|blindee?s?|bondee?s?|ras|rempli[e]?|bientot",
  'depleted|crammed|bursting|overflow(?:s|ed|ing)?|jam-?packed|choking|scarce|tight|saturated|stuffed|maxed out|space gone|clogged|brimming|(?:under|unter|sous|sotto|debajo de|abaixo de|inférieure? à) \\d+(?:[.,]\\d+)? ?(?:[kmgt]i?[bo]|%)',
  'erschöpft|quillt|übergelaufen|läuft über|geht aus|niedrig|zugemüllt|platzmangel|frisst|verstopf(?:t|en)|unterschritten|nicht genug|engpass|gesättigt|zu hoch|aufgebraucht|gefüllt|überfüllt|ueberfuellt|reicht nicht|ausgeschöpft',
  'menos de|a reventar|sobrando|desbordad[oa]|rebosa(?:ndo)?|se acaba|hasta los topes|abarrotad[oa]|escasez|escas[oa]|se come|saturan?|saturad[oa]|a tope|excesiv[oa]|atiborrad[oa]|colmad[oa]|mínim[oa]',
  'não há espaço|esgotad[oa]s|transbord\\p{L}*|comeu|saturando|excessiv[oa]|atulhad[oa]|falta de espaço',
  'moins de|restante?s?|à court|plus aucun|déborde|vient à manquer|insuffisante?|bouchée?|bouffe|engorg\\p{L}*|trop basse?|saturation|excessi(?:f|ve)|surchargée?|pénurie',
  'meno di|finendo|niente (?:più )?spazio|nessun inode|trabocca|straripante|agli sgoccioli|bass[oa]|insufficiente|intasat[oa]|stracolm[oa]|carenza|si mangia|saturano?|satur[oa]|scars[oa]|al limite|a corto|eccessiv[oa]|riempit[oa]|strapien[oa]|minim[oa]',
  '(?:stra)?pien[oa]|poc[oa]|esaurit[oaei]|finit[oa]|quasi|critico|vol|bijna|pełn[yae]|mało|переполнен\\p{L}*|мало|заполнен\\p{L}*',
);

/**
 * A share that is worth an alarm, used or free: a name that speaks of 61 % speaks of something else. Names with unexpanded macros
 * have theirs in place of the number.
 */
export const ALARMING_SHARE =
  /[<>]=?\s*[\d{]|\}\s*%|(?<![\d.,])(?:100|[89]\d|7[5-9]|2[0-5]|1?\d)(?:[.,]\d+)?\s*(?:%|(?:pct|percent|prozent|por ?ci?ento|pour ?cent|per ?cento)\b)|(?:^|\s)(?:8[5-9]|9\d)$/iu;

/** A resource is short, besides the words for what is full. */
export const BUSY = said(
  'high|load|loaded|busy|slow(?:ly|er)?|long|latency|often|frequent(?:ly)?|deadlocks?|deadlocked|pressure|pending|waiting|saturat\\p{L}*|overload\\p{L}*|peak\\p{L}*|spik\\p{L}*|maxed|pegged|hog\\p{L}*|hot|lack|leak\\p{L}*|swapping|iowait|lag(?:s|ging)?|too (?:many|long)|utili[sz]ation',
  'hoch|hohe[rns]?|last|ausgelastet|auslastung|uberlast\\p{L}*|langsam|am anschlag|zu viele',
  'alt[oa]s?|carga|saturad[oa]s?|lent[oa]s?|elevad[oa]s?|sobrecarg\\p{L}*|agotando|consumo|demasiad[oa]s?|muito|demais',
  'élevee?s?|haute?s?|charge|chargee?s?|lente?s?|surcharg\\p{L}*|trop|énorme|carico|lento|troppi|высок\\p{L}*|нагрузка|перегруж\\p{L}*',
);

/** What follows on trouble and is no reason for it: people are without something, or wait. */
export const CONSEQUENCE = said(
  'silent|lost|impossible|slow(?:ly)?|fails?|failing|times? out|(?:nobody|no one) can|cannot|without|no \\p{L}+s|no more \\p{L}+',
  'langsam|verloren|stumm|ohne|keine? (?:neuen? )?\\p{L}{4,}(?: mehr)?|nichts mehr|nix mehr|niemand kann',
  'sin|lent[oa]s?|impossible|imposible|no (?:se )?\\p{L}{3,}n|nadie puede',
  'sem|perdid[oa]s?|impossível|não \\p{L}{2,}m|ninguém consegue',
  "can[’']t|sans|impossibles?|perdue?s?|plus (?:aucune?|de|d[’'])|ne \\p{L}{3,}nt (?:plus|pas)",
  'senza|impossibile|lent[oa]|pers[oaei]|non \\p{L}{3,}no|nessuno può',
);
