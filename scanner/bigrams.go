package scanner

// bigrams says how rare two characters in a row are in source text: the negative
// logarithm of their share to the base of the square root of two, plus '!', a row
// for each first character. The characters are those of bigramSigns and, last, all
// others. They are counted, with equal shares, over sources in Go, C, Java, Ruby, PHP,
// Python and JavaScript, and over what stands beside them (Markdown, JSON, YAML, HTML).
const bigrams = "" +
	";423=83>4?9021?3=11/57995=@@@BC@CDCB<;85?=CF=>><=@D@@B@ELKHJJGMDIE]BP<" +
	"5==>4@@A76C4=A5?@98>4CBB7DA@@BCCCCCC=>9;??HF=B@==CEACDOGKMHNIILKHF]D]>" +
	"2=7>2=>27E33:>0=@5916=AC9E@AABDC?CCC;>95>>CD=A:<=ADFD@BFGPHKIFNNGF]CQ>" +
	"4;:60<=>2=@8;>5:>77;7=>;8DB==BD>9DCD6:71=9<B8;798<@<;<@@BLIECC@AE@]>N5" +
	"2821636;8==34/844./096437@A?>?CB?CAB474/;68B594659<;<;<<EEECCCB@@<P<P5" +
	"4?<;67>A2DE7;;3=A6985ACC;EB@?BCDCC@C9<:2A>AF>B8<;AJK>BMFJNJMNIMJCE]EP>" +
	"9=<>2:;95BC;=86=C75:7=AC@?BCABEH@HGG8;74;<AE:=8;:@D>><=AGNJGHMHFB@]A]:" +
	"3?<=0ABA3ED?<?4=B9;59B@D?DEA?ABBDJEH8=;5@;BE;?9;;?ECBAECGOQJHLKDIFTAQ<" +
	"5723434C?C<24.15=411>6A8C7A@AGGIFHGJ>=;8=?D>=?A>=AE>H=LFJPJIHKLKHI]FP>" +
	"8DDC6DDF@GEECE:BDD9E=CAGDGHHGIIJIIII@C=@FGLDEHFBBEK]KC]LN]ON]Q]RQN]LRE" +
	"9?==4>=@8ED<@<=>D>8><B@GACIAAABFEGEF9>97>>DG<@:<=>DF?ACEKPIKOQJFGDPB]<" +
	"2;<508=<1D<3>=2:@<554:>D7CGDBFEFGJFF8<94<;AD9=798<C=:?D@HLLHECHCDB]@]9" +
	"28>81:>B5@A97=43A?6:9@CC=EEBAFFH<HGG9;969?EF<?;==@D>BCIBJRIKEKJIFD]C]>" +
	"2<21251>4>88:737?:1057?C8BFBBEHHGHGI7:71<9>B79699;;9@>C?>JJFG>FCE<]>M9" +
	"7543:58@6:743.52E043256;=@EBBEFHFHEH9::4==CF;><==ADBBBCHHMKHGHGCJCOB]9" +
	"1?;92?=96F>4<?35C2635@??9DFA@>EFDHCC9<87<;ED<?:<<>@<<CCFFOKJNIIIED]B]<" +
	"=B@B@ABD?FE??DDE?A@C4EDEDDDBAFGCFJEHCC>>FADJAFBB=FTPIKNG]]PTTQMMKF]L]C" +
	"1957.85?1C775419A33347<C5DC@ACFFEGFG7:61>9>B8:677;?@?;@>DMGFDGFCB=]>]9" +
	"5;5:0;;53A89::44>:2.5>;B7@CA?>FBBHEG783086:@6:666;@>8<?@CKFD@CDAC>Q>M7" +
	"1;59/7=/0?@87;25B0443;9;3AD>A;EF<G?H3740;8>A694669=;;<?=COFEAECAA;P=P7" +
	"7668279D5FC362>6B242BDD:CBDFDFIFGIGHDEB9GCKFB=BFAJGLOKLLL]OP]MRJOK]H]C" +
	"3@>?2BBA5EE?@B8;A?=?A@?ECD?=?CCF@CEF;A9;DBHH=D@<>CI?@EMJNKMKPIRPFC]F]A" +
	"6A?>7AA75DD>>:6@C79@B@;DCEDDDCFDHHHG;@;6C>EE=C;@=EIMECGIOPTKJNJJNH]E]>" +
	":A8A:@DA9EFA<D?6E@>6BCD@<G=>@A@CAB>E;<<8C?ED=A<;<?GGB?JCIOMHNIMMIF]D]?" +
	"<><?;AAA;CC:6984E;99A@?ECAGDCFHIGHHI9<74>;BF:=9;:>AAC>BBFNJHHMHAB;]@]:" +
	"<DBE7FEE=GGCEE?EECDDBFCC>BEGFGIIHJGJCICAFFJI?CFCDGKRIFTIQNMOR]PPLI]HTC" +
	"@ACB@BCCEIFEEFHBHFFDGGG<FE8;<?>??@??C?99B@KD;?A:9;AMM;P@PLKHJDOKHARDQ;" +
	"CBBDBCHHGHGFGGHFFFEEEGFHIH:=9>==;>=>A?9:>?GE<@B;:<ACG<PAKIGJJKMLJD]ET<" +
	"?A?BAAHFDHGABEEADFCACEF@GH9>>==;>?<?>=:;C?HF=@<=<BBGG=HCKLLGOIILJF]FE=" +
	"ABBBBCHGGHIIHGHDHFGGIGGGIG=>:??@?@=>FA=>ECPH>CC@>FCCIAQEKMMJOI]KMGTFQ@" +
	"@A@BB@DGEEF@?DDDHD@BD:H@IH=??@??@@?@>A<=E@MH>A=?=DCJN@JDOQRHQM]NEH]G]?" +
	"BCDDCCIGIIIIHHHCIHGGIHHHHH=<@@@?<@@AGB??EDRJ?BGA?FBNKBOE]TPLKJ]MJITI]A" +
	"BCBCCAIHGJIAAGFEIGCEEHGAHH?AAA7@?@@AB@??FAJI?B@@>FCLTALGTMPMQM]PNI]IT>" +
	"CCCDDBIJIIIIHIJHHJFHIIIIIH@B@ABA@@@AJB>@FFTJAGHB@HCPTCRHT]RMMM]ORJ]J]A" +
	"@BCDBCHHGHIBC@IGIJFEEGGBIJ>AAB@@=A@@AB?>E@RJ?A@A>EBPPAKFQRQJGM]RMG]H]>" +
	"CDDDCDGGIFHIGIGHGHGGFGIHGH>A@BAA@AA?ECA@GF]J@DICAHC]RBRERTPPONPRLK]J]B" +
	"696877:97>;88876?667::9BBC==@BFFIJEK;ME>NJPNCE=A=IKOMHMJ]I]GFGROIHQGTG" +
	";;:<<;>>:@?;<<=:C:::>>>CCB?;<A>AAC>AM7I8AICEBCHFNDH4IHJOQDT@KDRMIFTKT=" +
	"675877898;?99877B7569::?CC9;=>?@ABBB;I86=ECF<=>?CO@LFDJJM@MA@D]KQ?]CO4" +
	"0312226519943222<21/443:8>678;<=>@>@:6:(74191439EB6;6;247572687;8:B7C5" +
	":<:9;=;;:>D:<>:9D<::>=<@EDD>@AABFFFDDA?54@LH>=ECAGE>EE@KACN8ABPFLCJDD7" +
	"=>;>?>A?=BG?>=A=F=<<@BBCHK??BBCCFFBDDGH1886I:@DFDLDQA>>LD?MCFDOQN?T?Q7" +
	"DBCCFBFGFJLEDCA>KE?ABDHIGMBACFGHDJGNJFG1FM6J7>EMHKG6ENENNCNLHA]IR@IJP@" +
	"EFDEFEGGCFHEEDDDHDBDGEHFHHEAGIHIKIHKMCE:FF?<BEG>E@MQKDOOPETNMFPJKERJ]?" +
	"8989:9;:9??:99:8B877;<<@AC><>?AACBCC@<<6:4DA4?C63>>9@:B;>?ED?=GCE>GA>4" +
	"<=;=>==<>B?===><B=9:=>@ACEDADEGHHGJICA=6<<FE>=F75?ACD;BDCEIEA?IGG?HBH6" +
	"997:99=:9>?;9999B866=9=>CE==>BBCFHFH>C>B@=LG56;3NEAN<N;]@8:<BA:CO>M>H9" +
	"HIHIJLMKI]PJJKGH]JGKMKPM]]MMR]]T]]]]J=72D9HB>A@564BHC?@@QHGEOHPDGCT>N1" +
	"DGHFJGFJELHJHFFHIDCEMHNHHMAACEEGIGGIPJH0MPQQ:DIIMOIQJMDM]JMIJHQJRD]KT1" +
	"HGHJNKPILNNLIPLJJPHLLNNKJ]KMLLRN]]RQ]NM8GLO]@FMFKCERNM]IRLFTNMQMPC]K]2" +
	">?>=@?AA<EG>@C;<OB<>CAHEKNJEGHHLFKJO]BM:7J?]IFITN]=AMNJ]JOROK>@>]JFP]J" +
	"<=;==>;><BC>=<=<F<;=?@@FGEA@@BBCIIHIGFB5FB>L>@>BDH;@FFECAGDKHEMMK<TDN7" +
	">>=???>B;C=>A???I>9>CACEDJ;<?ABFGFFHHCDAI;LJ:;GLFPIOB8DTE>ND?EIOTCT@D;" +
	"B=?HHEHK@J]HHGBCKF<CGKKM]J]R]]]]]]Q]PC;8F>FB>B;9:<HF<=GBMNI?KHRGADQCR7" +
	"BAACCAFD@GEAB@A@HB<@CAFHKMBBFHIHIMJPJHI8JJRM;DFRN]D]H]@;<FKKMD]TPC]GL2" +
	"NRMPMRRLHP]RIMRNTJJMT]PPR]]T]]]]]]]]FG?8?BIT>AC76>DHGBA>PHPNGMMKJCP>P2" +
	"<A<BACCDABH=@?>;L;<<EAEKOMDEFGLMLMKJERQGNPL]GGQOQTAOMNJ]FI]TLLNQ]NCNJL" +
	"=@:==>CA<G>?==><D==8B<DEMTGDGJIMMMLMFIIDEQTTHG@LN]M]QO<LIJNPJILKNMLJTK" +
	"A>>ABBBAAFFAAA??D?>?DCDGMJIGHJT]TTTTLTF9QEFTKIGPTOQ]PPTTOF9OGP]]RP]PF@" +
	">><>??AA=FB??>=;F<<;B?BGMMNGJLJLKPITF@D48DHHCDD@BKJOFHNIMJN8OMKGJE]H]7" +
	"BD@>ACFD<KLFE@FCHC@EDBGGOHF?CCBCDECCJKI7MDNLHGMOMRG]FL>P]K]N<IJPRLTPN;" +
	"HID=GKNKITJGJFJJ>E8EH=BELOFHABJHNJII]JD?KR?FCD@JMFH>FLCDTONLAFPTOM]MPJ" +
	"CD@CCCED@LIDCD@BJ@=BEDFJKO]]]]]P]]]]LAKBI]8M@C?HLTE]FQQRJ@NENLDPRCQGTB" +
	"FIFLLFPIGTIJIJI@GJAHHKQDR]PNR]]]]]]]PGA<JADMBF?FFIGAMGPMPKKLLNK@NE]IO>" +
	"BCDFE@KHBJEDFBFCLDAEEFLJLRJJKLTRP]QQIFM9JL?MEGHLMTPPITTRPLNJMMT]:ENLD=" +
	"?@:=?>HA?IJAB8DAK==?BED?IGCIHJ]]]]]]KKBHCLQN;BFFTQMMGFJKKFMGJMPJJ>PLQ>" +
	"MMIKKERIMPPMHPNL]JLKMRHOT]LCGLPPOPR]]RJCGRN]LIKR]]PKMP]]TT]TTOTR]PCPNK" +
	">@>?@?A>@BEB>@@?G>>?@CCHHJHFGGFHMROPDD<8CANGDBH>:HGNEACGFBPHGGPMLGC:J<" +
	"KOLNLPQKK]KONILP]MLNHN]NPTFACEEGDCIIMKKFIMGTJIFOOOKMI]KOPJORMKRPMFRNER" +
	"896996<>4A?;::87@566:8;>@ABDEEFHJLLK@;<-4:AC87B=AD9D=E93<EB;:IFIACK=R*"

const bigramSigns = "abcdefghijklmnopqrstuvwxyz0123456789_-. /:=+\"'(),;<>[]{}@$&*#%!?|\\~`^"

// commonGrams are the 3,072 commonest four characters in a row in the same text, the
// commonest quarter of them first, each part in order.
const commonGrams = "" +
	" !=  \"\"\" \"re $th &&  * @ //  :=  = a = n = r ==  =>  acc act add all an  and app are as  ass aut be  by  cal can" +
	" cha cla cli cod com con cre dat def dis end err exp fal fil for fro fun get has hea htt if  imp in  ins int is  it " +
	" lic met nam new nil not nul obj of  on  opt or  org out par pat pay pre pro ref rep req res ret sel ser set sho sta" +
	" str sym tes tha the thi to  tru typ und use val ver we  whe wil wit you!= n\", \"\": \"\": {$thi' =>() {(str) =>" +
	")) {, co, er, re, st----.com.con.get.new.str.typ: tr= ne= ni=====> '=> {[str] = _con_equ_namableaccoacheackaackeacti" +
	"addraderaforafteage alidalizall alloalsealueamd6ame ame)ame,amewamplanceand andlangeappeapplar *aramare argsarguarra" +
	"arsease ass asseatalatchate atedatesaticatioatorattratusaultauthaymebackbasebjecble blicblocbodyboolbootbuilbutebyte" +
	"cachcallcan casecatecaticcesccoucensceptcesschancharchecckagckenclascliecloscludcodecom/commcompconfconnconscontcopy" +
	"councreacripctedctioctorcty.custd ind tod64vdatadateddredef defadefider dersdescdiagdiffdingdiredispdresdulee = e co" +
	"e foe ine ise lie ofe pae ree ste the toe\": eadeeateect ecteectied bed tefaueferefinegiselseemenenceend(endeener" +
	"enseent ent.ent_entientrentsepareptiequaequeequier teraterenernaerr erraerroers ersiert_ertyerveervies aescresouespo" +
	"ess essaessiest est(est_estiestsesuleterethoetureveneworexceexpef (!f thfactfalsfaulferefferfielfigufileflagfonyfor " +
	"formframfromfterfuncgenegistgumegurah thhandhar hashhat he che lhe phe rhe sheadheckhen her his his-his.hosthoulhttp" +
	"iagsibuticaticeniderieldientif (ightiginigurile ill implimpoin tinalinclindeinfoing ing(ing.ing_ingsinitinpuinstint " +
	"inteion ion\"ion(ion.ion>ion_ionaionsipe.iptiireciredis->isteistritemiterith itioivatjectjsonkagekendlasslatelect" +
	"lemeletelic licalicelienlinelinklistlizellerllowloadlocalocklse ludelue lue=mainmandmatcmbermd64me, mentmessmetamete" +
	"methmewomfonmmanmmitmockmodemodumplemporn ren thnal namence nclunctinderndexndlenectnew nfigng tnil ningnitinnecnode" +
	"not nputnse nst nstantaintennterntexntinntrontrynullnumbo thobjeocalockeode odulof toid olleommaommionalonfionlyonne" +
	"ons onseonstontaonteontropamoperoptior aor torg.origormaort ouldoundountourcout outpoverovidpacepackpamdparaparspass" +
	"patcpathpaympdatpectpendpertplanplatplicponsportpostppliprefpresprinprivpropprovps:/ptiopublqualquesquirr = r thrafo" +
	"rameramsransrateratireadreamreatrectred regiremorendrentreporequreseresorespressresureturgumriburigiringrintripeript" +
	"riterivarmatrn trollrom roperovirrafrrayrrorrsiort ort_eructrverrvics = s a s ans ins nos res ths tos\", s\": s://" +
	"sagescrise ised selfsentsertservset shousignsingsionsizesourspacspatspecsponsprissagsserssiost cstanstarstatstinstom" +
	"storstrestristrusultsuppsymfsynct = t cht cot int ret stt tht\": taintanctarttatetatitatuted temptentter teratern" +
	"terrtesttextthatthe therthisthodthorthrotialtic timetingtiontiveto ttoretorytps:tputtractrantreatribtrintriptroltruc" +
	"truettpsttritureturntypeual ual(ubliuct uestuilduireuld umbeumenunc unctundeupdauraturceurn use userustouthoutpuvali" +
	"valuvar vateventversvicevideviewvoidwaitwhenwillwithworkwritxcepxpecymenymfoyou ype  \"ac \"co \"de \"ht \"in \"li" +
	" \"na \"no \"pa \"pr \"se \"st \"su \"te $co %s\" ()  (re (th ) - * a * c * d * f * l * r * s * t * w * y *re *te" +
	" ->  /** 0 { 0,  0;  1,  201 <op = \" = $ = ' = 0 = 1 = [ = b = c = d = e = f = i = m = o = p = s = t = { === @au" +
	" @pa @re []s _,  a b a c a d a f a n a p a r a s abo aft any api arg arr asy at  att aux awa bac bas blo bod boo buf" +
	" bui but byt cac car cas che clo col cop cor cou cty cur cus dec del dep des det dia dif dir do  doc doe don eit els" +
	" emp enc ent env eve exa exc exi ext fai fie fin fir fla fou gen git giv got han hav hel id= inc ind inf ini inp inv" +
	" iss ite its jav jso key len lim lin lis loc log loo mai mak man map mat max may mem mes moc mod mor mus nee no  nod" +
	" non num off one onl opa ope ori oth ove pac pas per pla pos pri pub que ran rea rec red reg rel rem ren rew rou run" +
	" sam sec see sen sig siz so  sou spe ssa sto sub suc sup t.a tag tem ter thr tim tra uni unl uns upd url usi var vie" +
	" voi wan war was web whi wor wri {@l ||  } = }, \" =>\" do\", c\", e\",\"d\": [\": n\": t\"] =\"act\"con\"des\"exp" +
	"\"foo\"git\"htt\"lic\"nam\"nod\"pos\"pro\"res\"sta\"str\"suc\"tes\"tex\"typ#inc$con$val%s\",', '', (', f'con'sho" +
	"(\"ex($th(() () =());(), (arg(buf(con(err(htt(int(nam(opt(pro(req(res(t *(t, (the(thi(typ) &&) ->) do) { ).is* @a" +
	"* @p* co* li* re* th* yo*tes, 0,, 0x, an, ar, as, bu, ca, di, do, ex, fu, in, me, nu, op, or, pa, se, si, so, th, tr" +
	", va, { ,\"de-> \"->ge->in->re->se-inp-typ. if. th.0.0.add.apa.app.arg.ass.aux.bod.boo.bui.cal.cla.clo.err.exp.fat" +
	".for.fro.gra.has.len.lis.nam.op .opa.org.par.pos.pro.reg.req.res.run.set.spr.sta.t) .tes.uti.val.wri/ co/ re/ th// a" +
	"// c// i// m// r// s// t// w//do//gi//ww/api/doc/git/has/int/lic/loc/opt/ter/tes/www00, 000064vp: \"a: \"h: \"s: \"t" +
	": %s: []: ct: fa: me: no: nu: op: st://d://g://w:= a:= b:= c:= r:= s:= t:= v:cla</op<opt= 0 = 0;= []= co= in= ma= nu" +
	"= ob= op= ra= re= st= te= tr= v.== '== n=== => \">\\n<>get>set@aut@lin@par@ret[]st\\com\\n<o](ht]byt]str_add_arg_asy" +
	"_col_com_dat_dir_ent_err_fil_for_get_hea_ind_ini_ins_key_len_lin_lis_met_mod_not_obj_opt_par_pat_pre_pro_ref_rep_req" +
	"_res_set_sta_str_to__typ_url_val_wit`, `a coa rea.opabelabieabilacceace acesach ack ack_actoactuadataddeaddiadleage." +
	"agenagesagnoags ags.aileailsain aineainsaiseait ake al \"al aal(\"al: al[\"al[salf(alhoaliaall(allballeallyalreame\"" +
	"ame(ame.ame:ame=ame_amesametamouams ams\"ams,ams:amspan aan ban ean ian oanaganchand_andaangoanguanneannoansaant " +
	"antiany ap[sapacapi.app.apsharchard arenargeariaarm6art artiary as aas iase.ase_asesashiaskeass)ass=assiasynat aat c" +
	"at tat wata ata)ata-ata.ate\"ate(ate,ate-ate.ate_atematepateratfoath ath(ath)ath,ath.ath:athsatinativattaatteatur" +
	"auseautoauxiava.avaiave avenawaiayloayoub.cobankbasibe abe ubefober bienbilibindbitmbledblesblobbounbranbreabscrbstr" +
	"buf buf,buf_buffbut by ac fuc inc stc tec vocablcalhcanncardcastcausccepce cce ice tce wce, ces ch (che che.chedchem" +
	"chercheschilchunciescifickedckercketckincleacodicollcolocoluconccondconvcookcordcorecorpcredcretcribcs.sct cct ict o" +
	"ct rct sct):cteqctivcts cumecuricurrd = d and bed byd cod fod isd nod ofd ond red std thd und wid\", d\": dargdcon" +
	"ddedddrsde \"de, debudecoded deledencdentdepedeprder(der.der_derederrdes destdetadex dictdir(disadiscdistditidjan" +
	"dlerdockdocsdocudoesdonedowndpacdpoie !=e :=e ==e a e ace ane ape are ate bae bee cae cue dee die doe ene exe fie fu" +
	"e goe ife ite lae loe mae moe nae nee noe obe ope ore pre see spe sue sye tee tye use vae wie\");e\", e\":\"e', e() " +
	"e())e(ste) {e, ce, se, te, ve-ine.coe.ore: \"e_coe_pae_reeachead eadyeaseebugecatecifeck econecorecreect(ect)ect." +
	"ect_ectoectsecurecuted =ed aed ced fed ied oed sed ued wed\",ed\":ed, ed. ed: edenedirediteed een ef tefixeforeger" +
	"eithelateld eldseleaelecelemeletelf,elf.elloelpeemaiemotemovemplempten pen tenabenamenciencoencyend endiendpendsengt" +
	"ensient\"ent(ent)ent,ent-ent\\entaenteentlentmenvieobjeof eoutepatepeneplaeporeposepreeproept er =er aer cer eer i" +
	"er oer ser\":er()er) er, er->er.aer.cer: er::eralerceere erederfaerfoergeeriaeriferinermierr)erreerriers.ers:erso" +
	"ert ert.erteertierttes =es ies nes oes tes\":es()es) es, es.ses: eseneseresetesolespaess\"ess(esseest\"est-est.esta" +
	"estcesteestoestret =et tet('et, etadetaietchetheetriettietupevaleveleverewriexamexclexecexisexpoexprext ext(ext.ext/" +
	"exteextrey, f ($f anf erf ref tef yof(\"efabifacefailfatafdiafer fetcffsefic ficafiedfierfig.filtfinafindfinefini" +
	"firmfirsfix flasfloafmt.foo\"forefounfreefsetfullfundg = g a g thg tog, sg.spg.t)g_ligentger get get(get_getagetc" +
	"getpgfraggerght ginaginggit_githgiveglobgnedgnorgnosgot govegradgrapgratgreegrougs =guagguregvalh = hanghas hasehat(" +
	"havehe \"he `he ahe bhe dhe ehe fhe ghe ihe mhe nhe ohe the uhe vhellhelphemahentherehichhicohifthildhinghod hod:" +
	"hodsholdhor horihorshouthrowhtmlhub.hunkiabliagnialiiateic fic iic vicalice icesich icoricteid *id, id: id=\"idat" +
	"ide idenidesied ies ieveiew if !if aif eif iif nif sif tifaciff_ificifieignaigneignoil {il, ildeildpile(ile.ile_iled" +
	"ilenilerilesilitilteimagime ime.imeoimitin ain cinatindiine inedinerinesing\"ing)ing,ing-ing:ing]ingfingling{inin" +
	"ink inliins int(int)int3int6intfintsinueinvainvoion)ion,ion-ion:ion;ion\\ioncionpire(ironirstis ais cis dis fis i" +
	"is nis pis sis tisabiscoispaissiissuist ist_istaistiistoistsit cit iitchitevith_itheithoithuitiaitinitleitmaitorits " +
	"itteity ive iveniverivesizatize ize(ize_izedizerjangjavajoink.bokey key,keyskindkingknowkspal = l bel col\": l[st" +
	"labelabllacelagslanglasklastlatflatilayelbacld blderldpale ile tle\":le, le.cleanlearleasled len len(lenalengler " +
	"ler.ler:les lesslevelf(\"lhosliaslicylid lidaliedlikelimilinglitelitylivell bll, llabllballeclledllinlloclly loat" +
	"lobalogglonglookloselowelperlse,lterltiplue(lue)luealueslugilumnm stm thm/hamagemailmakemanamap[map_mappmarkmaskmati" +
	"mavemay me =me\":me()me);me: me=\"medimeoumer mergmespmissmit mit_mmenmodimoremotemounmovempilmplamplimponmptyms: " +
	"mspamultmustn $tn = n a n ann ben can con exn fan inn isn ofn stn ton trn van\", n\": n't n<opn>\\nnablnagenal/nal[" +
	"napsnatinc (nc tnce(nce.nceoncesnciencodnconnd and ind tnd()nd, ndefndenndicndinnditndponds ned neednentneranestnew(" +
	"nextnforng $ng ang cng ing ong png sng()ng, ng.tng_lnge ngerngfrnglengs.ngthnguanil,nlesnlinnly nmennnernnotnonenore" +
	"nostnotanotenotrnownnprons =ns ans ons tns, nsacnse\"nse-nse.nsesnsignsionstrnt =nt ant cnt int mnt tnt) nt, nt32" +
	"nt64nt: ntatntegntf(ntianticntimntmentrints nts.nvalnvernvirnvoiny\\co a o beo ino reoadeobalobj.ocatocesock ocks" +
	"ocs.ocumod: ode(ode)ode,ode-ode.ode:ode>odelodesodifodinoducody oes of aoffsoiceointojecokenokieoldeoleaolicolorolum" +
	"olveom som tom/homerommeompaompiomplompoon (on =on aon con fon ion oon son ton von won\":on('on()on, on: on>\\once" +
	"oncoondione one)one,onenonmeonpronreons\"ons)ons,ons.onsoontionveony\\ookiool ooleoot.oparopenoptsopyror (or cor e" +
	"or ior mor oor sor {ordeore oreaorf(org/orizork.orksorldorm orm.orm_orp/ors.orteortsory ose(ositost ost:ostiot botat" +
	"otecotheotreou cou mour outeowerows p = p/tep://p[stpachpareparmpartpattpaylpe =pe\":pe._pe.cpe: pe=\"peciperaperf" +
	"permperspes.pilepingplacplayple ple.plempletplieplugpoinpoliponepoolposippenpperppinpplypporprecprevprocprodprogproj" +
	"promprotproxpshoptorpushput put-putspyriquerqueur !=r :=r a r anr cor exr inr ofr rer tor\": r) {racerackractradl" +
	"ragerailraisral[ram rangraphraryratoray rbufrce rce_rceprcesrchirderre are ire tre('reacreakrecarecored[rederediref_" +
	"referefirefsrelarelerencrepareplreprres res.reshrestretrreverevirewrrf(\"rfacrforrg.srgetrgs[riabrialriberictride" +
	"riesrievrighritirityrk.brksprm64rminrmisrn $rn 0rn crn frn nrn rrnalrnamrnedrninrns rocerodurojeromironmrootror ror(" +
	"ror)rorfrorsrotorounrouproutrow rowsroxyrp/trr !rr :rrenrridrs, rs: rserrsonrt (rt jrt.srtedrtiertifrtthrue rue)rue," +
	"rue}run run(runts :=s ars ass cas cos des dis fis fos ims iss ofs ons ors pas ses sos uns whs wis() s())s().s) {s, s" +
	"s.aps.cos.res.ses.sts: {s[0]sa.osablsactsafesameschese ase fse ose sse tse {se()se, secosecrsecusee selesendser seri" +
	"ses sessset(set_settsetushicshifshotshowsidesimpsitisitoskedskipslicsnapsocksolvsomespayss oss\":ss()ss=\"ssa.ssed" +
	"ssesssetssigssinssuest \"st =st bst ost rst sst {st\",st('st, st_ast_istacstalstedstenstepstersticstopstr,str]stra" +
	"strbstrostrysts stylsubssuccsumesureswitt *tt :=t a t ant bet cat clt det dit ext fot hat ist jat mat met not obt of" +
	"t ont ort pat prt set tot tyt ust vat wat wit { t\", t', t's t('st) {t, st.cot.ert.fat.get.stt_cot_eqt_int_not_pa" +
	"t_retabltachtacktadatailtalftalltanttargtasktch tch(tch:tchetconte ate fte ste tte, te: tectted.ted_tegetemstendtens" +
	"tepatequter(ter.ter_terctereterftermterstes tes.tevatf(\"tfditforth =th ath tth, th: thanthenthinthouthrethubtica" +
	"ticstiestifatifitil.tinttinutitltly tmaptmettnamto ato bto cto dto ito rto stocotoketometopttor toratorstp:/tpartpro" +
	"traitrbutreetreqtrictrietry try.ts =ts ats tts, tstatstrttacttertthattinttp:tualtvalty.styleu cau mauageub.cubscucce" +
	"ude ue, ue=\"ueryues ueueuf, uffeuginuintule ulesull ull)ull,ull;ullault ult:ult_ultiultsunc(und undiunleunsiunt " +
	"untiuppoure uresuriturl url_urnsurreusedusesusinust ut tut wut, ute utedutesutheutiluxinv.auv.opvailval(varive tven " +
	"ver ver.verivernverrvertveryvirovoicwantwarewarnwas wherwhicwordworlwrapwww.xampxcluxecuxintxistxporxprextenxtray = " +
	"y iny noy ofy rey thy\": y.sty\\coyloaynamync ync(youryoutype\"ype(ype)ype.ype:ype=ype_ypedypesyrigyteszati{@li} = " +
	"} el"

// commonTrigrams are the 1,024 commonest three characters in a row in the same
// text, in order.
const commonTrigrams = "" +
	" != \"\" \"a \"c \"n \"p \"r \"s \"t #  $t && *  */ +  -  -> // := =  == => [] a  ac ad al an ap ar as at au ba be" +
	" bo bu by ca ch cl co cr cu da de di do el en er ex fa fi fo fr fu ge go ha he ht id if im in is it la le li lo ma" +
	" me mo na ne ni no nu ob of on op or ou pa pl po pr ra re se sh si so sp st su sy t. te th to tr ty un us va ve wa" +
	" we wh wi yo {  }) },!= \"\"\"\");\", \": \"re\"te$th&& ' =', () ())();(co(re(st) =) {)) ));), * @, \", $, ', a, b" +
	", c, d, e, f, i, n, o, p, r, s, t---.cl.co.ge.ne.op.re.st// 0, 64v: \": ': n: o: t: {://:= = \"= 0= a= c= n= o= r= s" +
	"= t== ====> > '> {] =_co_fi_in_li_na_op_pa_re_se_stablaccaceachackactadaaddadeageagsailainal al(al[aliallalsaluamd" +
	"ameampamsan ancandangansantanyapiappar araardareargarrarsartas aseashaskassastat ataatcateathatiatoattatuaulautava" +
	"aveay aymbacbasbe berbjeblebliblobodboobufbuibutby bytcaccalcancascatcceccoce cencepcesch chachechick ckackeclacli" +
	"cloclucodcolcomconcopcorcoucrecrict ctectictocurcusd ad bd id od td, d64d: datddrde deddefdeldendepderdesdexdiadif" +
	"dindirdisditdledocdondredule \"e =e ae be ce de ee fe ie le me ne oe pe re se te ve we\",e\":e()e) e, e.ce: e=\"ead" +
	"eameaneareatecieckecoected ed.ed_edief efaefeefiegieldeleelfelsemaemeemoempen enaencendeneensentenvepaepoepreptequ" +
	"er er(er.er_eraereerferiernerrerserterves es.esceseesoespessestesuet et(et_etaeteethetueveew ewoexcexpextf (f tf(\"" +
	"facfalfauferffefiefigfilfinfixflafonforfrafrofung tge gengergesgetghtgingitgrags gs.gurh thanharhashathe heahechel" +
	"henherhichishodhorhoshouhrohttiagialibuic icaiceictid ideielieniesiewif ifiighigiigniguil ildileillimaimeimpin ina" +
	"incindineinfinginiinpinsintinvionipeiptireis is-is.iseispissistit it_iteithitiityivaiveizejecjsokagkedkenkeykinl, " +
	"lablaglanlaslatld le le.lealecledlemlenlerlesletliclidlielinlislitlizll llelloloaloclogloslowlseludluely maimanmap" +
	"matmbemd6me me,menmermesmetmfominmitmmammimocmodmovmplmpon an cn in on rn sn tn, n: nalnamnc ncenclnconctnd nd(nde" +
	"ndindlne necnednernesnewnfinfong ng.ng_ngenilninnitnnenodnonnotnpuns nsensinstnt nt(nt.nt_ntantentintrntsnulnumo t" +
	"oadobjocaockodeoduodyof offoidoinollom om/omeommompon on\"on(on.on>on_onaoncondoneonfonnonsontonyookoolootopaopeopt" +
	"opyor ordoreorgoriorkormorsortoryoseostot oteou oulounouroutoveoviow ownpacpamparpatpaype pe.pecpenperpinplaplepli" +
	"ponporposppepplprepriprops:ptipubputquaquequir *r =r ar ir tr, racrairamranratrayrcere rearecredreerefregrelremren" +
	"repreqresretrevrg.rgergsriaribricrigrinripritrivrmarn rnarolromroprorrourovrowrr rrarrerrors rs.rsersirt rt_rtiruc" +
	"ruerunrverviry s =s as cs fs is ns os ps ss ts ws\",s\":s()s) s, s->s.ss: s:/sagscoscrse se(se.secsedselsensersesset" +
	"shosigsinsiositsizsolsonsouspaspesposprss ssassessist st(st.st_stastestistostrstssubsulsupsymsynt *t =t at bt ct f" +
	"t it mt ot pt rt st tt wt\",t\":t('t()t) t, t.ft.st: t_etactagtaitaltantartattchte te(te_tedtemtenteptertestexth th_" +
	"thathethithothrtiatictimtintiotivto tomtortpstputratretritrotrutryts ttettpttrturtusty.typualubluctudeue uesuiluir" +
	"ulduleullultumeuncundunturaurcureurlurnuseustut uteuthutiutpvalvarvatve venvervicvidvievoiwarwhewilwitworwrixcexpe" +
	"ymeymfyouypeyte"
