package scanner

// bigrams says how rare two characters in a row are in source text: the negative
// logarithm of their share to the base of the square root of two, plus '!', a row
// for each first character. Counted over git's and Go's own sources; the
// characters are those of bigramSigns and, last, all others.
const bigrams = "" +
	">523>64@4B7130C5D12/67:87A?=?@@@???@:;<3@BF7" +
	"5<8>4?AF66B5;B7;I69=4BEF5G???@@@A@A@;>:9=CE7" +
	"2;8<3;817K358<09>6827;>D<G<=>@@A?@@A7<73>?C5" +
	"5:;51:=A3?C7==5=C66<7;?::B???@@@?@AA5970><@2" +
	"2821337<8?>340849/01:5739C?7=?AA@A?@374.<9=0" +
	"5>;755>@2JH6<;3;I5774CBB:G>?@@AAAA?A6;;1C?B4" +
	":@7?2>;83GB:=649B76;9;?B?BACCIHHEGJK7<73=?A5" +
	"2C?;/?CE3IE>;>5AL8:89CAN>CGBCEIKHNOL7;:3@?A5" +
	"7633613C?G<24.26@510@6C7L5>@DDGGEHGH>>;8ABF7" +
	"@IBI6DDHBO@IFH>FNI<B;KFJQNJHLMQOKMOO@@E>FIK<" +
	"9???4<;?7HG=?:;<B<8:>A?FBOECCIKLFOMT8<;5?@B6" +
	"4<<60:<B2I<2=;2:E;655==G5CGBAAHF>JMG8<93=>B4" +
	"28;91@@?4J>;4?44C>6:7CCE=KGEEFIIBMKJ9=;5?@B7" +
	"3;21261>4C67;72:@:2/58>D8DHABBIGBGKE7980==@2" +
	"9535837>5=842063K043375?BFKDFFMMGMCQ6:<2?9C5" +
	"2>993:<:7M>5=A36D3826;?C:F:>?C@KBOHJ7<85A?B5" +
	"LKFDHNHIDKLBGEKEHGBF7QHOQOLIGKNTONNTACA=JDH<" +
	"2867.85@2G68632:F24439;D5F;<>@DFEFDE6:80==?2" +
	"4<4;0=942I889;54>:4/5=:C4>B?@BEFAEFH595/::>2" +
	"1=59/8;/0D>78<14B0354<995AA;?8@F7G<H365.<9>1" +
	":758569C3KE461=5I333FEH=IB;GBGTQHQIL?C>9DEK=" +
	"4B??2>BC7OG@??8@FB<@DDDEHNC><DDK;JJM;><:@CD8" +
	"5@>>6@@54IF>@:6>J79>BGACJQJEHFLLGQOO:>=7CDH9" +
	"9=9=8;DC9OFB@C@8F@=6ACC@AG957:9;<<8=:<<7B@@6" +
	"@@>B<CBE<MM;;986E=47FD@MDDJFEFJQTNLQ9;:2A?A5" +
	">FKH5KDI?QMCKIBGNHCOIMKMBBGHHLNQJOJOCFF>DFK=" +
	">>???>LLIOJLFGJGQJGJJNK2NK4:9<;=;===D?=6E>K2" +
	">>=<==INITILGNQHIKEHFLOION7::;;<9<;<@@<6D>F4" +
	"??????JEGNGGDFKDOIGEKHJFTN8<;<<;=<<==@;9C>H5" +
	"?@?@@?IIFOQLHJTGMGLLNQHONQ;=7==>>>=>FB?;H?M8" +
	"@?@@A@HEKTEEHLHFQHEFLFJDTO9=<>===<>?A@>9F?N6" +
	"A@@@A@OILOMNHQQIQNGMOQILTK<>>?=>=???ED@<H@N9" +
	"@A@@@?JHLQJICNEDQQIGQQTFQN=???7??>?<<D?<H?N7" +
	"A@A@A>NTLOQQLMLTOIILNJOOQO>??><?????IG@=I@T9" +
	"AAAAA@NNMNINKBKKOMLIQTJKQL9>????=?==DC@<I?Q7" +
	"@@AAB@NONTMOJINLQOLKLTOMQO>>>>>?>??>ICB=H@Q9" +
	"685676785?<76765>5458:9?C?@ABCEHBHCO:K@;KHG6" +
	"::8:;9<=:DA;:;:9?98:;><AE?>:>BCFEFAAI0G8HK@4" +
	"999;9899;A?9:9:6A979<=<@EE>>????@@BBAI85?GL2" +
	"010211340:932212<20.252:8=158::;<>=>75<)750-" +
	">><=?>8>>DF==@?=G=:=>B@BHHHCBEEHCEFJHC@22KH5" +
	"F@<EED;GDHL>E<DDOBBEFLDGGMBADEEFKJHKLFG5=956" +
	"CDCFGCEDBJKFDDEEQECCGDHHDJCADFHJKLKOLFD/GJ48" +
	"443433471=:55453<2125679=?57:;<==>>?555,275)"

const bigramSigns = "abcdefghijklmnopqrstuvwxyz0123456789_-. /:="

// commonGrams are the 768 commonest four characters in a row in source text (Go,
// C, Python, JavaScript), in order.
const commonGrams = "" +
	" 255 add all and any app are arg aux bas boo buf cal can cas cha che cod com con dat def dir dis" +
	" els ent err exp fal fil for fro fun get git has hav hea imp ind ins int ite key len lin lis loc" +
	" mat mem met mod nam new nil nod non not nul num obj opa opt oth out pac par pat pos pre pro ran" +
	" rea ref reg rem rep req res ret rew sel set sho siz spe sta str sub sym tes tha the thi tra tru" +
	" typ und use val var ver voi wan whe whi wil wit wor----.add.arg.aux.com.con.err.len.nam.new.pos" +
	".res.typ0000000164vp_add_com_con_dat_dir_fil_for_ini_int_lis_nam_opt_pat_ref_rep_sta_str_uina.op" +
	"ableacheack_ackaackeactiaddaaddraderage alidall allealloalsealueamd6ame ame:amesanceanchand andl" +
	"angeant appearamare arenarg0argearglargsarraarsease askeass asseata atchate ate_atedath aticatio" +
	"ativatoratteattratusaultauthauxiave backbasebjecble ble_blocbodyboolbranbreabuf buf_buffbuilbyte" +
	"cachcallcan casecatecaticensceptcesschancharchecckagclascleacloscludcodecolocommcompcondconfcons" +
	"contcopycouncreacripctioctorcurrd64vdargdatadateddardef defadefidentder dersdiffdingdiredistdule" +
	"e_reeacheadeeaseeateect ect.ect_ectiectoectsefaueferefinefixelf.elseemenemovenamenceencoendeener" +
	"engtenseent entientrentseposequeequieratergeernaerr erroers ersiervees.tesetesolespoess essaest " +
	"est_esuletchethoeturevalevenewriewvaexerexpoexprextefalsfaulfetcfferffsefielfilefiltfineflagfloa" +
	"for formfreefromfsetfuncgeneget_git_glenglobgnedgnorgrougth:handhar hashhat haveheadheckhen her " +
	"herehifthinghis his.httpibuticaticenieldientifieightignaigneignoile ilesill ilteimplimpoinclinde" +
	"ine inedinesinfoing ing.ing_ingsinitinpuinstint int3int6int8inteinttinueinvaion ion.ion_ionaions" +
	"irecist itemiteritevith itioitorize jectjsonkagelagslasslateleaslectlenglet letelexelf._liceline" +
	"linklistllowloadloatlocalocklowelse lterltinludelue mainmakemandmarkmaskmatcmbermd64mentmergmess" +
	"methmmanmmitmodemodumovemplempornamencluncodnctindenndexndlened neednew newvnextnfigngthningnly " +
	"nodenonenorenot npm nputnst nstant32nt64ntennterntinntrynts nttonullnumbnvaloauxobjeocesode odul" +
	"offsoid ointokenolorommaommiompaonalone onfionlyons ons.onseonstonteontiool opamoparopenoperopti" +
	"optsore ormaort ortsory ositotheouldoundountourcout outpoverpacepackpamdparapareparmparspartpass" +
	"patcpathpdatpecipectpendpes.placpoinportposippenprefpresprinprocpropps:/ptiopushquesquirrancrang" +
	"ransrateratiratorbufreadreakreamreatrectref_refirefsreg:regireleremorentreporequreseresorespress" +
	"resureturewrrgetrgleriburiesrighringrintriptritermatrnalrocerom rootrorfrrayrrenrrorrse_rsioruct" +
	"s://sa.osagescrised selfsertservset shifsignsingsionsitosizeskedsourspacspecsponssa.ssagstacstal" +
	"stanstarstatstinstorstrbstrestristrustylsultsynct.ert_cot_intabltacktalltargtarttatetatitatutch " +
	"tch:tcheted temptentter teraterntesttevatextthatthe thentherthisthodthrotic timetingtinutiontive" +
	"toautointoketoretorytps:tputtractrantrbutreatreetribtrintructruetry tterttoittpstureturntyletype" +
	"u000uct ude uestuffeuintuireuld ult ult:ultiumbeunc unctundeupdaurceurn urreuse useduserust utpu" +
	"uxinv.adv.arv.auv.rev_0.valivaluvar versvoidwantwhenwillwithwordworkwritwvalxintxporype ypesytes"
