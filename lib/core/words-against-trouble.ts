/** What people say of what is planned, settled, over, asked or not their own: nothing for a job to mend. */
import type { JobToolName } from '#lib/catalogue/tool.ts';
import { said } from '#lib/core/plain-letters.ts';

/** A plan, a change, a forecast, a question, or what is over already: nothing is wrong now. */
export const NOT_NOW = said(
  'rollback|ongoing|in progress|under ?way|plan(?:s|ned|ning)?|scheduled?|upcoming|will|would|going to|soon|next|tomorrow|tonight|until|forecast(?:s|ed)?|(?:stopped|closed|shut ?down|switched off|disabled|paused) (?:by|for|under|during|until)|predict\\p{L}*|project(?:ed|ion)|estimated?|expected|voluntar(?:y|ily)|growth|trend(?:ing)?|thresholds?|limits? (?:was|were|of)|instead of|(?:was|were|has been|have been|got|gets|is|are|being) (?:\\p{L}+ )?(?:updated?|upgraded?|installed|raised|lowered|extended|enlarged|resized|increased|reduced|moved|migrated|replaced|renamed|swapped|switched off|tidied|cleaned|emptied|changed|added|removed|assigned|requested|approved|reserved|retired|decommissioned|rebooted|re-?started|re-?loaded|restored|recovered|fixed|resolved|closed by|ordered|cancell?ed|postponed|agreed)',
  'maintenance|reminder|review(?:ed)?|migration|decommission\\p{L}*|rollout|release|version|upgrade|update|deployment|owners?|owned|belongs|back (?:up|since|again|online|to)|is back|already|on purpose|by design|intended|intentional(?:ly)?|acknowledged|handled|proposal|request(?:ed)?|ticket|chg-?\\d*|report|summary|weekly|monthly|quota|due|expires?|expir(?:y|ing)|certificate|licen[cs]es?|price|cost|so far|took|finished|completed|successful(?:ly)?',
  'geplant\\p{L}*|vorgesehen|beantragt|angefragt|genehmigt|(?:wird|werden)(?! (?:stark|langsam|knapp|voll|eng|kritisch|nicht|zu))|demnachst|morgen|nachste\\p{L}*|prognose|voraussichtlich|schwell\\p{L}*|wartung\\p{L}*|umzug|umgezogen|verschoben|erweitert|vergro[sß]+ert|angehoben|aktualisier\\p{L}*|geandert|ausgetauscht|ersetzt|gehort|zustandig\\p{L}*|bereits|schon(?! wieder)|erledigt|wieder (?:da|online|verfugbar|gestartet)|absichtlich|gewollt|erwartet|(?:gestoppt|beendet|angehalten|deaktiviert) (?:von|durch|wegen|fur)|abschaltung|abgeschaltet|erinnerung|bericht|lauft bis',
  'planificad[oa]s?|programad[oa]s?|previst[oa]s?|seran?|va a|mañana|proxim[oa]s?|pronostico|prevision|umbral|mantenimiento|migra(?:cion|d[oa])|movid[oa]|ampliad[oa]|aumentad[oa]|actualiza(?:d[oa]|cion)|cambiad[oa]|reemplazad[oa]|pertenece|solicitad[oa]|aprobad[oa]|de vuelta|ya(?! no)|resuelt[oa]|a proposito|esperad[oa]|voluntari\\p{L}*|intencionad\\p{L}*|(?:detenid|parad|apagad)[oa] por|recordatorio|informe|version|nuev[oa]s? (?:version|disco)',
  'planejad[oa]s?|agendad[oa]s?|vai(?! estourar| encher| lotar)|amanha|previsao|limiar|manutencao|migracao|migrad[oa]|passa para|ampliad[oa]|aumentad[oa]|atualiza(?:d[oa]|cao)|trocad[oa]|substituid[oa]|pertence|pedid[oa]|aprovad[oa]|de volta|ja(?! nao)|resolvid[oa]|de proposito|intencional\\p{L}*|combinad[oa]|lembrete|relatorio|versao',
  'planifiee?s?|prevue?s?|sera|seront|va etre|demain|prochaine?s?|prevision|seuil|maintenance|migration|migree?|deplacee?|agrandie?|etendue?|augmentee?|mise? a jour|changee?|remplacee?|appartient|demandee?|approuvee?|de retour|deja|resolue?|expres|attendue?s?|volontair\\p{L}*|arretee? par|rappel|rapport',
  'pianificat[oa]|previst[oa]|sara|manutenzione|aggiornat[oa]|aggiornamento|sostituit[oa]|gia|volontari\\p{L}*|(?:come|e|era) attes[oa]|atteso|fermat[oa] da|plánovan\\p{L}*|údržb\\p{L}*|gepland|onderhoud|verwacht|uitgebreid|bijgewerkt|verplaatst|vervangen|morgen|drempel\\p{L}*|(?:za)?planowan\\p{L}*|konserwacj\\p{L}*|jutro|zaktualizowan\\p{L}*|powiększon\\p{L}*|przeniesion\\p{L}*|wymienion\\p{L}*|próg|progu|oczekiwan\\p{L}*|запланирован\\p{L}*|обновл[её]н\\p{L}*|измен[её]н\\p{L}*|порог\\p{L}*|будет|обслуживани\\p{L}*',
);

/** What was settled among people, and what is only tried. */
export const SETTLED = said(
  '(?:re-?started|rebooted|restarts)|(?:wieder|erneut) unter [3-9]\\d ?%|(?:back|again) (?:below|under)|de nuevo por debajo|de nouveau sous|di nuovo sotto|weer onder|novamente abaixo|from (?:the )?(?:\\p{L}+ ){0,2}(?:network|office|vpn|lan|wan)|(?:vom|von der) (?:betrieb|team|kunden|admin\\p{L}*)',
  'agreed|arranged|coordinated|confirmed|wanted|desired|permitted|accepted|tolerated|informed|window|freeze|drill|exercise|rehearsal|training|test only|(?:for|during|under) (?:a )?test(?:s|ing)?|pilot|trial|experiment|false (?:alarm|positive)|known (?:issue|problem|bug)|nothing to do|no action|hands off|fyi|for (?:your )?information|info(?:rmation)? only|just info|standby|stand-by|spare|failover|switch ?over|passive|dr site|retire(?:s|d|ment)?|phased? out|end of life|eol|obsolete|abandoned|archived?|unused|not (?:in use|used|needed|required|productive|in production)|no longer (?:needed|used|required)|waiv(?:ed|er)|exception',
  "because|due to|caused by|by itself|on request|by request|keep(?:s|ing)? (?:it |them )?(?:stopped|down|off)|(?:fine|ok|okay|good|well) (?:again|now)|pass?iv[oa]|passi(?:f|ve)|cleanly|gracefully|as expected|drained|draining|found running|cleaned(?: |-)?up|freed|emptied|jumped|increased|copy(?:ing)?|copied|transfer\\p{L}*|(?:o[fn]|off|disabled) since|baseline|harden\\p{L}*|wait(?:s|ing)? for|still (?:accepts?|running|runs|up|alive|active|there|in use)|should(?:n[’']t)?|normal(?:ly)?|looking (?:at|into)|working on|investigat\\p{L}*|is on it|post-?mortem|retrospective|runbook|documentation|docs?|inventory|grew|grown|attached|quota|tmpfs|lun|writable|permissions?|vulnerab\\p{L}*|cve-[\\d-]+|renamed|moved|superseded|deprecated|sufficient|staging|\\d+ days?",
  'weil|wegen|regular|ordnungsgema[sß]+|abgekundigt|auf wunsch|lauft wieder|wieder(?: \\p{L}+)? (?:da|erreichbar|verfugbar)|kopie(?:rt|ren)?|lauft noch|noch (?:immer|aktiv)|sollten?|normal|schaut|kummert|bearbeitet|arbeitet|dran|gestrig\\p{L}*|nachbetrachtung|doku\\p{L}*|betriebshandbuch|bestandsaufnahme|kontingent|erhoht|ausreichend|umbenannt|hei[sß]+t|kunftig|\\d+ tagen?|abgestimmt|abgesprochen|vereinbart|bekannt(?:es|er)?|akzeptiert|toleriert|gewunscht|ubung|probe|testweise|testbetrieb|testlauf|fehlalarm|nur (?:zur )?info(?:rmation)?|zur information|kein handlungsbedarf|nichts (?:zu )?tun|standby|ersatz|notfall|stillgelegt|ausgemustert|au[sß]er betrieb genommen|abgebaut|abgelost|nicht (?:mehr )?(?:benotigt|gebraucht|produktiv|in betrieb)|veraltet|ungenutzt|freigegeben|freigabe',
  'correctamente|normalmente|a porque|debido a|peticion|volvio|descontinuad[oa]|copia de|copiando|todavia (?:acepta|corre|activ)\\p{L}*|deberia[n]?|es normal|mirando|revisando|trabajando|esta en ello|post ?mortem|documentacion|inventario|suficiente|cuota|crecio|renombrad[oa]|movid[oa]|proyeccion|\\d+ dias|acordad[oa]|convenid[oa]|coordinad[oa]|confirmad[oa]|aceptad[oa]|conocid[oa]|simulacro|prueba[s]?|ensayo|falsa alarma|solo informativ[oa]|informativ[oa]|sin accion|no hacer nada|no tocar|reserva|respaldo pasivo|retirad[oa]|dad[oa] de baja|obsolet[oa]|en desuso|ya no se (?:usa|necesita)|ventana',
  'corretamente|normalmente|pel[oa]s? \\p{L}{4,}|porque|devido a|a pedido|voltou|copia d[eo]|copiando|ainda (?:aceita|roda|ativ)\\p{L}*|deveria[m]?|é normal|olhando|mexendo|trabalhando|documentacao|inventario|suficiente|cota|cresceu|renomead[oa]|movid[oa]|projecao|\\d+ dias|acordad[oa]|combinad[oa]|coordenad[oa]|confirmad[oa]|aceit[oa]|conhecid[oa]|simulad[oa]|simulacao|teste[s]?|ensaio|alarme falso|apenas informativ[oa]|informativ[oa]|nada a fazer|nao mexer|aposentad[oa]|desativad[oa]|descontinuad[oa]|obsolet[oa]|em desuso|nao (?:é|e) mais (?:usad[oa]|necessari[oa])|janela',
  "normalement|correctement|a la demande|decommissionnee?s?|d[’']ici|a cause|parce que|car|fin de vie|normale?|revenue?s?|retablie?s?|copie (?:de|du|des)|encore (?:actif|active|en route)|devraient|devrait|est normal|regarde|travaille|s[’']en occupe|fiche|documentation|inventaire|suffisant[e]?|quota|renommee?|demenagee?|projection|\\d+ jours|convenue?s?|accordee?s?|confirmee?s?|acceptee?s?|connue?s?|exercice|essai[s]?|fausse alerte|pour info(?:rmation)?|à titre d[’']information|rien à faire|ne pas toucher|secours|desactivee?s?|retiree?s?|mise? hors|obsolete|abandonnee?s?|inutilisee?s?|fenetre",
  'regolarmente|correttamente|perche|a causa|su richiesta|tornat[oa]|ripristinat[oa]|copia di|ancora attiv[oa]|dovrebbe(?:ro)?|è normale|guardando|lavorando|documentazione|inventario|sufficiente|quota|rinominat[oa]|spostat[oa]|\\d+ giorni|concordat[oa]|confermat[oa]|accettat[oa]|not[oa]|esercitazione|prova|prove|falso allarme|solo informativ[oa]|nulla da fare|non toccare|riserva|dismess[oa]|disattivat[oa]|ritirat[oa]|obsolet[oa]|inutilizzat[oa]|finestra',
  "deliberate(?:ly)?|(?:backup|standby) node|(?<!nao )saudavel|(?<!no )bien|now back|came back|no more (?:crash|fail|loop|error|alarm)\\p{L}*|but|although|however|despite|cleared|recovered|recovery|ended|replaced by|if nothing changes|complain\\p{L}*|customer(?:[’']s|-side)|headquarters|undefined|suspicious|malicious|evidence|malware|isolate|found active|warning level|who owns|(?<!(?:not|nicht|no|non|pas|nao|is) )ok|(?:here|is) fine|(?<!not )healthy|call \\p{L}+|(?:no longer|nicht mehr|ya no esta|nao esta mais|n[’']est plus|non e piu) (?:full|voll|llen[oa]|chei[oa]|pleine?|pien[oa])|réplica|replikat\\p{L}*|mestre|maître|mysql-master|master mysql|neighbou?r(?:ing)?|nachbar\\p{L}*|vecin[oa]|vizinh[oa]|voisine?",
  'aber|obwohl|jedoch|trotz|vorgabe|bewusst|bleibt|wieder oben|behoben|(?:störung|ausfall|problem) (?:ist )?beendet|klären|beim kunden|zentrale|passiv\\p{L}*|unbekannt\\p{L}*|verdächtig\\p{L}*|schadsoftware|isolieren|beweise?|anrufen|(?<!nicht )gesund|hinnehmbar|lassen|(?:tot|lahm|still) ?gelegt|geschichte|vorbei|überstanden|schulungs\\p{L}*',
  'pero|aunque|por diseño|adrede|así debe|debe seguir|tod[oa] (?:correct[oa]|normal)|de nuevo|levantad[oa]|dejó de (?:caer|fall|reinici)\\p{L}*|solucionad[oa]|trasladad[oa]|quejas?|del cliente|sano|de la central|sin responsable|en espera|jubilad[oa]|debía|sospechos[oa]s?|aislar|llamar|res+ucit\\p{L}*|ya no existe|documentar|desguazad[oa]|hasta (?!los topes|arriba)\\p{L}+',
  'embora|porém|mas (?:o|a|os|as|e|nao|esta|tem)|padrão|por opção|deve (?:continuar|ficar)|nem deve|normalizad[oa]|parou de (?:cair|falhar|reiniciar|travar)|do cliente|matriz|elevad[oa]|homologação|devia|suspeit[oa]s?|acabou o|arquivamento|ampliando|res+uscit\\p{L}*|isolar|preservar',
  "cependant|bien que|mais (?:le|la|les|l|il|elle|pas|sur)|par choix|doit (?:le )?rester|rien d[’']anormal|conform\\p{L}*|ne plante plus|réglée?|du client|(?<!pas |plus )saine?|siège|(?:panne|incident|problème) (?:\\p{L}+ )?terminée?|jusqu[’']a|isoler|suspects?|preuves?|n[’']en veut|écoulée?|res+uscit\\p{L}*",
  'però|sebbene|ma (?:il|la|lo|l|non|e)|per scelta|di proposito|deve restare|volutamente|tutto regolare|ripristino|di nuovo su|rientrat[oa]|smesso di (?:crash|cade|fall)\\p{L}*|risolt[oa]|proiezione|del cliente|(?<!non )sano|sede centrale|soglia|alzat[oa]|collaudo|domani|sospett[oa]|emergenza|rinat[oa]|resuscitat[oa]|isolare|prove',
  // Trouble that is denied, and what nobody suffers from.
  "(?:not|\\p{L}*n[’']t|no longer|never|cannot be|can not be) (?:\\p{L}+ )?(?:stopped|down|dead|inactive|offline|off|full|unhealthy|failed|failing|crashed|gone|stuck|hung|terminated|killed|halted|frozen|unreachable|unavailable)|no (?:\\p{L}+ )?(?:errors?|users?|worries|impact|customers?|problems?|downtime)|without (?:\\p{L}+ )?(?:impact|effect|downtime|problems?|errors?)",
  "(?:nicht|nie) (?:mehr )?(?:tot|voll|gestoppt|down|ausgefallen|abgesturzt|beendet|kaputt|defekt|weg|inaktiv|offline|aus|gestort)|ohne (?:\\p{L}+ )?auswirkung\\p{L}*|n[’']est (?:pas|plus) (?:mort|arrete|plein|tombe|en panne|inactif|hors)\\p{L}*|pas (?:mort|arrete|plein|tombe|en panne|inactif)\\p{L}*|sans (?:impact|effet|incidence)",
  'no (?:esta )?(?:parad|caid|muert|llen|detenid|apagad|inactiv)[oa]|sin (?:uso|impacto|efecto)|nao (?:esta )?(?:parad|caid|mort|chei|travad|desligad|inativ)[oa]|sem (?:uso|impacto|efeito)|non (?:e )?(?:ferm|mort|pien|spent|cadut|arrestat|inattiv)[oa]|senza (?:impatto|effett[oi]|uso)',
  'niet (?:meer )?(?:uitgevallen|gestopt|dood|weg|vol|defect|inactief)|nie (?:jest )?(?:juz )?(?:zatrzyman|padł|niedostepn|nieaktywn|pełn|zapełnion)\\p{L}*',
  // A trial of the alarm, and what somebody did by hand or has put out of use.
  'test ?-?(?:alerts?|alarms?|message|event|meldung|nachricht|problem|trigger)|testalarm|testmeldung\\p{L}*|testmelding|testowy|manual(?:ly)?|by hand|manuell|von hand|handisch|manualmente|a mano|a la main|manuellement|handmatig|recznie|(?:admin|root|operator|user|ops|staff|somebody|someone) (?:has )?(?:stopped|killed)',
  '(?:disabled|masked|deaktiviert|deshabilitad[oa]|desabilitad[oa]|desactivad[oa]|disabilitat[oa]|uitgeschakeld|wyłaczon\\p{L}*)(?! (?:service|dienst))|cold (?:node|spare|standby)|(?:other|another) (?:node|server|host|machine)|ander(?:e|er|en|em|es) (?:knoten|server|rechner|maschine)|otro (?:nodo|servidor|equipo)|outr[oa] (?:no|servidor|maquina)|autre (?:noeud|serveur|machine)|altr[oa] (?:nodo|server|macchina)',
  // It was, and is no longer.
  '(?:was|were|war|waren|estaba|estuvo|estava|esteve|etait|etaient|era|erano|był[ao]?|było) (?:\\p{L}+ )?(?:down|stopped|offline|inactive|full|unreachable|unavailable|weg|ausgefallen|voll|caid[oa]|parad[oa]|inactiv[oa]|llen[oa]|fora|chei[oa]|arretee?|tombee?|pleine?|ferm[oa]|pien[oa]|niedostepn\\p{L}*|zatrzyman\\p{L}*|pełn[yae])|was (?:uitgevallen|gestopt|vol)',
  '(?:->|→|=>) ?(?:up|running|active|started|ok)|(?:and|now|und|jetzt|y|e|et|ed) (?:is )?(?:now )?(?:running|started|up|active|healthy|gestartet|lauft|iniciad[oa]|arrancad[oa]|demarree?|avviat[oa]|gestart|uruchomion\\p{L}*)(?! (?:out|low|full))|(?:lauft|demarree?|rodando|funcionando|corriendo|running|up) (?:again )?(?:after|nach|apres|apos|tras|dopo|despues)|up again',
  // What sounds like trouble and is none.
  'steht (?:zur|bereit|fest)|verbindung steht|(?:start|demarrage|avvio|arranque|inicio|inicializacao|boot)\\p{L}* (?:beendet|terminee?|terminat[oa]|terminad[oa])|termino de \\p{L}+|terminou de \\p{L}+|(?:status|response|http) code [123]\\d\\d|health ?check (?:passed|running|succeeded|ok)|50[0234] (?:requests?|sessions?|active|users?|connections?|ms)|port 50[0234]',
  '(?:exit(?:ed)?(?: with)?|status|code|codigo|code de sortie|codice|rc|return)(?: code| status| de salida| de saida| de sortie| di uscita)*[ =:(]*(?:0|zero|null)(?! \\p{L}*proc)',
  // Of a disk: nearly empty, only to be read.
  '(?:only|just|nur|erst|solo|so|seulement|que|soltanto|maar|tylko) \\d+(?:[.,]\\d+)? ?[kmgt]i?[bo] (?:used|belegt|usad[oa]s?|ocupad[oa]s?|utilises?|occupes?|usati|occupati|gebruikt|zajete)|empty|leer(?:es)?|vaci[oa]|vazi[oa]|vuot[oa]|vide|leeg|pust[yae]|read-?only|schreibgeschutzt|nur les(?:end|bar)|solo lectura|somente leitura|lecture seule|sola lettura|alleen-lezen|(?:tylko )?(?:do )?odczytu?|plenty of|(?:usage|belegung|auslastung|uso|ocupacion|utilisation|utilizzo|gebruik)(?: is)? (?:low|niedrig|gering|baj[oa]|baix[oa]|faible|bass[oa]|laag|dropped|statistics?)',
  'bewust|met opzet|op verzoek|zoals (?:verwacht|afgesproken)|weer (?:bereikbaar|actief|online)|al opgelost|hersteld|bekend|vals alarm|alleen ter info|proef|celowo|na (?:życzenie|prośbę)|zgodnie z|znowu działa|już (?:działa|naprawion\\p{L}*)|fałszywy alarm|tylko (?:informacj\\p{L}*|test)|znany problem|ćwiczeni\\p{L}*',
  '(?:1?\\d|2[0-5]) ?% (?:used|belegt|usad[oa]|ocupad[oa]|utilisé|occupé|usato|occupato)|only (?:1?\\d|2[0-5]) ?% used',
);

/** A day, a month, an hour or a ticket: who writes one into a name speaks of what was agreed, not of what is broken. */
export const APPOINTMENT = said(
  '(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|may|june|july|august|september|october|november|december|today|yesterday|week|month|quarter|weekend|night|noon|midnight',
  '(?:mon|diens|donners|frei|sams|sonn)tags?|mittwochs?|sonnabends?|januar|jänner|februar|marz|mai|juni|juli|oktober|dezember|heute|gestern|woche\\p{L}*|monats?\\p{L}*|quartal\\p{L}*|nacht|uhr|\\p{L}*abend|mittag',
  'lunes|martes|miercoles|jueves|viernes|sabado|domingo|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|hoy|ayer|semana|(?:el|al|este|proximo|del|por|cada|un) mes|trimestre|noche',
  'segunda|terca|quarta|quinta|sexta|janeiro|fevereiro|marco|maio|junho|julho|setembro|outubro|novembro|dezembro|hoje|ontem|(?:o|no|neste|este|proximo|do|por|cada|um) mes|noite',
  "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|janvier|fevrier|mars|avril|juin|juillet|aout|septembre|octobre|novembre|decembre|aujourd[’']hui|hier|semaine|mois|trimestre|nuit|midi|minuit",
  'lunedi|martedi|mercoledi|giovedi|venerdi|sabato|domenica|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|novembre|dicembre|oggi|ieri|settimana|mese|notte',
  '\\d{1,2}:\\d{2}|\\d{1,2}h\\d{2}|(?:as|a las|à|ab|até|bis|um|at|till?|alle) \\d{1,2} ?h|\\d{1,2} ?[ap]m|\\d{1,2}[./]\\d{1,2}[./](?:\\d{2,4})?|20\\d{2}(?:-\\d{2}){1,2}|(?:chg|inc|req|rfc|itsm|jira|prb|tkt|ops)[-# ]?\\d+|#\\d{2,}|n\\.?o ?\\d{3,}',
);

/** That nothing is known is no news of what is wrong. A template adds it in parentheses to what is. */
export const NO_DATA = said(
  'no (?:new )?data',
  'keine (?:neuen )?daten',
  'sin datos',
  'sem dados',
  'pas de données',
);

/** What a service or an application has, or its host, and what may fail without it. */
const ELSE = [
  // What it does, and jobs.
  '(?:cron[- ]?)?jobs?|cron-?jobs?|(?<=cron )tasks?|tareas?|tarefas?|taches?|druckauftr\\p{L}*|image|pull|build|imports?|exports?|deliver(?:y|ies)',
  '(?:backup|sicherung|respaldo|sauvegarde|copia)(?:s|en)?(?:[- ](?:job|task|process))?|back-up|dump|monitoring|uberwachung',
  '\\d+ (?:invoices?|orders?|mails?|files?|rechnungen|facturas?|faturas?|factures)',
  // Of a database.
  'replication|replikation|replicacion|replicacao|replicazione|replicatie|slaves?|mirror|tables?|tabellen?|tablas?|tabelas?|tabella|quer(?:y|ies)',
  // Its settings, and who may use it.
  'config(?:uration)? (?:test|check|error)|configtest|syntax|konfiguration|configuracion|configuracao|configurazione|configuratie|autostart|start(?:up)? type|starttyp',
  'log ?files?|logdatei\\p{L}*|log ?(?:in|on)s?|anmeldung\\p{L}*|inicio de sesion|authentication|authentifizierung|autenticacion|autenticacao|passwords?|passwort',
  // What it speaks with.
  'upstreams?|backend app|vhosts?|tunnels?|peers?|forwarders?|relay|dnssec|lookups?|(?:name )?resolution|namensauflosung|(?:dns )?auflosung',
  '(?:printers?|drucker|impresora|impressora|imprimante|stampante)(?![- ](?:spooler|service|queue|server|warteschlange))',
  // Its host.
  'vm|virtual machine|virtuelle maschine|zabbix[- ]agent|hosts? (?:is |not )?(?:down|unreachable)',
];
/** What fails in a custom name and is not what the tool would restart. */
export const SOMETHING_ELSE: Readonly<Partial<Record<JobToolName, RegExp>>> = {
  restart_service: said(...ELSE),
  restart_application: said(
    ...ELSE,
    // What it needs of others.
    'data ?bases?|datenbank\\p{L}*|(?:base|banco) de da(?:t|d)os|base de donnees|ldap|certificate|gateway of',
    'payments?|paypal|providers?|zahlung\\p{L}*|\\p{L}*anbieter|pagos?|proveedor|pasarela|pagamentos?|fornecedor|paiements?|fournisseur|prestataires?|pagamenti|betaling\\p{L}*',
  ),
};
