/** Words that say nothing of what is wrong or why: a name that has only these besides trouble is understood whole. */
import { spaced } from '#lib/core/plain-letters.ts';

/** Without accents; each row is of one or two of English, German, Spanish, Portuguese, French, Italian, Dutch, Polish and Czech. */
const FILLERS = new Set(
  [
    'a an the is are was has have had of in on at for from to by with and its it this that since again now all any than there here more most very still only just about ago per over as or oder have they their entered running active started',
    'activo activa funcionando ejecucion arrancado arrancada iniciado aktiv gestartet erreichbar verfugbar ativo ativa executando actif active demarre demarree attivo attiva esecuzione avviato avviata',
    'second seconds sec secs minute minutes min mins hour hours hr hrs quarter row times one two three five ten',
    'service services svc server servers host hosts node nodes machine vm daemon process processes proc procs unit task program app apps application applications webapp web website site portal frontend backend container containers ctr pod pool instance instances agent listener listening proxy cluster broker queue cron',
    'disk disks drive drives volume volumes partition partitions filesystem fs mount space inode inodes log logs usage used free storage root data temp tmp cache home local workspace area dir page build file system',
    'port ports tcp udp http https smtp imap ssh dns ldap ftp ntp sql mqtt database db mail print printer printing spooler localhost',
    'state status check checks health healthcheck critical crit warning warn alert alarm error errors problem problems cause exit code signal connection connections connect request requests answer answers reply replies response kb mb gb tb mib gib percent pct systemd docker podman pm2 k8s k3s iis agents gone',
    'branch office plant factory campus floor room building lab ward clinic hospital school library warehouse store shop datacenter dc rack edge gateway gw terminal kiosk internal external production prod live main central primary runtime worker workers reached reach hits hit taken occupied full used up out dir directory session sessions page pages old files tons junk again suddenly completely totally',
    'filiale standort werk zentrum rz klinik schule bibliothek lager buro niederlassung erreicht genutzt sitzungen dateien alte plotzlich vollig komplett ganz domanencontroller',
    'sucursal planta sede oficina almacen tienda colegio biblioteca fabrica campus alcanzo alcanza ocupan ocupado ocupa sesiones archivos viejos totalmente completamente repente filial loja escola atingiu sessoes totalmente completamente',
    'agence usine ecole bibliotheque atelier magasin atteint occupe utilise sessions totalement completement stabilimento magazzino scuola ufficio negozio raggiunto occupato sessioni totalmente completamente improvvisamente',
    'der die das den dem des ein eine einen einem einer auf im zu zum zur von vom mit fur bei aus seit und ist sind hat haben wurde mehr noch es sich auch nur ca etwa uber unter wieder selbst vorhanden allen',
    'dienst dienste rechner maschine knoten prozess prozesse anwendung anwendungen webanwendung programm druckdienst druckwarteschlange warteschlange platte festplatte festplatten laufwerk dateisystem speicher speicherplatz plattenplatz platz freier freie frei belegung verbrauch zustand fehler verbindung verbindungen antwort systemlaufwerk stunde stunden sekunden minuten viertelstunde',
    'el la los las un una unos unas de del al y en con por para desde hace se ha han esta estan es son su sus otra vez sola solo',
    'servicio servicios servidor equipo maquina nodo proceso procesos aplicacion demonio cola impresion discos unidad particion sistema archivos ficheros espacio inodos registros contenedor grupo puerto estado salud codigo salida uso conexion conexiones respuesta minuto minutos hora horas cuarto segundos libre libres disponible raiz corriendo',
    'o os as um uma uns umas do da dos das ao aos no na nos nas e em com pelo pela foi sua seu novamente novo ar sozinho proprio tudo',
    'servico servicos processo processos aplicacao aplicativo fila impressao controle unidade particao arquivos espaco conteiner porta saude codigo saida erro erros conexao conexoes resposta livre livres disponivel rodando',
    'le les l d du des au aux et sur dans pour avec sous depuis est sont ont s ce cette son sa ses il qu que fois encore tout seul une',
    'serveur serveurs noeud nœud processus appli applications spouleur impression disque disques lecteur fichiers journaux espace conteneur conteneurs etat sante sortie utilisation utilises occupation erreur connexion connexions reponse heure heures minutes quart unite',
    'lo gli di uno dello della dei degli delle allo alla ai nel nella sul sulla per dal dalla hanno sono volta ancora',
    'servizio servizi macchina nodo processi applicazione demone coda stampa controllo dischi unita partizione spazio contenitore stato salute codice uscita errore errori connessione connessioni risposta libero disponibile ora ore minuti secondi radice',
    'capacity folder folders temporary dumps almost daemons verzeichnis ordner bereich temp-bereich temporare temporaren protokolle beinahe knotens instanz',
    'disco volumen almacenamiento carpeta carpetas directorio temporales capacidad instancia armazenamento pasta pastas diretorio temporarios capacidade contentor',
    'stockage dossier repertoire temporaires racine systeme capacite mo go cartella temporanei capacita disponibili liberi libera residua occupa',
    'het een van op met voor naar bij nog schijf harde map bestanden proces ruimte vrij vrije uur partitie',
    'w we z ze i od dla jest są serwer serwera serwerze dysk dysku partycja partycji usługa usługi procesu kontener miejsca wolnego wolne godzin minut katalog katalogu',
    'programs programme programa programas programma supervisord supervisor',
    'wird werden datentrager meer logverzeichnis scambio scratch sluzba sluzby disku misto',
  ].flatMap((row) => row.split(' ')),
);

const PATH = /^(?:\p{L}:)?[/\\]/u;
/** `93%`, `5m`, `1.5gb`, `2nd`, `v2.1`; anything else with a digit ("2moro") may be a word. */
const NUMBER =
  /^(?:v?\d[\d.,:]*|\d[\d.,:]*(?:[mµ]?s|secs?|m|mins?|h|hrs?|d|std|[kmgt]?i?[bo]|x+|st|nd|rd|th|pct))$/u;

/**
 * The words of a name, in lower case, that are neither fillers nor part of the subject. `text` is without accents, and without
 * what is known of it already; `own` is what the alert's host, key and tags say.
 */
export function unknownWords(text: string, own: string): readonly string[] {
  const known = own.toLowerCase();
  const isKnown = (word: string) => NUMBER.test(word) || FILLERS.has(word) || known.includes(word);
  return (
    spaced(text.toLowerCase(), known)
      .split(/[^\p{L}\p{N}_./\\:@-]+/u)
      .map((word) => word.replaceAll(/^[-.:]+|[-.:]+$/g, ''))
      .filter((word) => /\p{L}.*\p{L}|\p{Lo}/u.test(word) && !isKnown(word) && !PATH.test(word))
      .map((word) => numberedParts(word).filter((part) => !isKnown(part)))
      // Two words with a hyphen are one (`Park-Kasse`); a sentence with hyphens is none.
      .flatMap((parts) => parts.slice(parts.length > 1 ? 1 : 0))
  );
}

/** `web3` is a web's, and `disk-server-2` a server's and a disk's. */
function numberedParts(word: string): readonly string[] {
  return word.split(/[-_./:@]+/).map((part) => part.replace(/(?<=\p{L})\d+$/u, ''));
}
